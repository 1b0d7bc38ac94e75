/// Which domains, accounts and aliases exist here: a text file for each domain under the data
/// folder, whose grammar is `docs/accounts.md`. Start reading at [longhand.directory.Directory],
/// then [longhand.directory.DomainFile].
@NullMarked
package longhand.directory;

import org.jspecify.annotations.NullMarked;
