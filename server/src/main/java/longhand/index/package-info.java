/// What is known of a document without reading it: a cache file beside each, that may be deleted,
/// cut, or replaced by an older one at any time. Only this package knows the library that keeps it.
/// Start reading at [longhand.index.AccountIndex].
@NullMarked
package longhand.index;

import org.jspecify.annotations.NullMarked;
