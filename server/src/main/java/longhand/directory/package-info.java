/// Which domains and accounts exist here: a text file for each domain under the data folder. Start
/// reading at [longhand.directory.Directory].
@NullMarked
package longhand.directory;

import org.jspecify.annotations.NullMarked;
