/// What is known of documents without reading them: a catalogue of all, and a file beside each.
/// They are caches, that may be deleted, cut, or replaced by older ones at any time. Only this
/// package knows the library that keeps them. Start reading at [longhand.index.Catalogue].
@NullMarked
package longhand.index;

import org.jspecify.annotations.NullMarked;
