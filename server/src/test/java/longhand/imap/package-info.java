/// Tests of IMAP: the parser on its own, conversations with a running server, and mail programs.
@NullMarked
package longhand.imap;

import org.jspecify.annotations.NullMarked;
