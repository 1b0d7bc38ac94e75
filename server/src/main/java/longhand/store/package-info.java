/// The account documents, their journal, and what is known of them in memory. Start reading at
/// [longhand.store.Store]; `docs/document-format.md` is the design.
@NullMarked
package longhand.store;

import org.jspecify.annotations.NullMarked;
