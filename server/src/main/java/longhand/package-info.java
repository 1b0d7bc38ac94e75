/// Longhand, an email server that keeps each account as one text document.
@NullMarked
package longhand;

import org.jspecify.annotations.NullMarked;
