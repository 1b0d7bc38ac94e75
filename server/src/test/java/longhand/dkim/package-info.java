/// Tests of DKIM: by laws, by the examples of the RFCs, and beside other implementations.
@NullMarked
package longhand.dkim;

import org.jspecify.annotations.NullMarked;
