/// The program: command line, configuration, and the parts put together. It may use everything;
/// nothing uses it. Start reading at [longhand.server.Main], then [longhand.server.Server].
@NullMarked
package longhand.server;

import org.jspecify.annotations.NullMarked;
