/// The offline check (invariant I12): reads a data folder as `docs/document-format.md` describes
/// it, with parsers of its own, and says what is not so. It shares nothing with the store but the
/// files: a fault in the writer's own understanding would otherwise hide itself. Start reading at
/// [longhand.check.Checker].
@NullMarked
package longhand.check;

import org.jspecify.annotations.NullMarked;
