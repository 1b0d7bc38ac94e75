/// Files: the one seam through which the store reaches a disk, so that tests can put a failing or
/// forgetful one in its place. Start reading at [longhand.disk.Disk].
@NullMarked
package longhand.disk;

import org.jspecify.annotations.NullMarked;
