/// Tests of the Sender Rewriting Scheme, alone and beside another implementation.
@NullMarked
package longhand.srs;

import org.jspecify.annotations.NullMarked;
