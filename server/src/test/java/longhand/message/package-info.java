/// Tests of message structure, on messages made up here and on real ones.
@NullMarked
package longhand.message;

import org.jspecify.annotations.NullMarked;
