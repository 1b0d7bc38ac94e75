/// Tests of the records of a domain: as text, and against a real name server.
@NullMarked
package longhand.zone;

import org.jspecify.annotations.NullMarked;
