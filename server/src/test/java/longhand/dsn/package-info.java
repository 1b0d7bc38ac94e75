/// Tests of delivery status notifications: what is written, what is read, and what hostile text
/// cannot do to either.
@NullMarked
package longhand.dsn;

import org.jspecify.annotations.NullMarked;
