@NullMarked
package longhand.sending;

import org.jspecify.annotations.NullMarked;
