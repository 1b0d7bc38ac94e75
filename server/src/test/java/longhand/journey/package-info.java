/// Tests of the journeys of messages.
@NullMarked
package longhand.journey;

import org.jspecify.annotations.NullMarked;
