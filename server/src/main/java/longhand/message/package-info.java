/// What is inside a message: header fields, the tree of MIME parts with their places, address
/// lists, and the decoding of text. One pass over the octets, in bounded memory, whatever a peer
/// sends; nothing here recurses on nesting. Uses nothing else of Longhand. Start reading at
/// [longhand.message.Summary], which is what the rest of the server asks for; `MimeScanner` does
/// the work.
@NullMarked
package longhand.message;

import org.jspecify.annotations.NullMarked;
