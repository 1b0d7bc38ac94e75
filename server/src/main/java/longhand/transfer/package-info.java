/// Mail from and to other programs' files: mbox, Maildir, single messages. Reading is bounded in
/// memory and can be taken up again where it was interrupted. Start reading at
/// [longhand.transfer.Importer] and [longhand.transfer.MessageSink].
@NullMarked
package longhand.transfer;

import org.jspecify.annotations.NullMarked;
