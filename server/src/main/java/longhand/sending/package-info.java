/// What each account has sent, and where it does not send to: how much in this hour and this day,
/// the addresses it has written to, and those that do not exist. One text file an account. Uses
/// `mail`, `wire`, `disk` and the names of documents in `store`. Start reading at
/// [longhand.sending.SendingRecords].
@NullMarked
package longhand.sending;

import org.jspecify.annotations.NullMarked;
