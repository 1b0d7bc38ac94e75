/// The words of the field as values: domain, address, reverse-path. They check themselves; text
/// from a peer meets a parser first. Uses nothing else of Longhand.
@NullMarked
package longhand.mail;

import org.jspecify.annotations.NullMarked;
