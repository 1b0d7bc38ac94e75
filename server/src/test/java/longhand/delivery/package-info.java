/// Tests of where an address leads, beside a model that is written without knowledge of it.
@NullMarked
package longhand.delivery;

import org.jspecify.annotations.NullMarked;
