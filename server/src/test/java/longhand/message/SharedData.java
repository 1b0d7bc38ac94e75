package longhand.message;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Real messages of other projects, kept outside the repository: the folder `shared/data` beside or
/// above the working folder, or the one named by the system property `longhand.data`.
public final class SharedData {

  private SharedData() {}

  /// The folder, if it is there.
  public static Optional<Path> folder(String name) {
    var named = System.getProperty("longhand.data");
    if (named != null) {
      return Optional.of(Path.of(named, name)).filter(Files::isDirectory);
    }
    for (@Nullable Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      var found = at.resolve("shared/data").resolve(name);
      if (Files.isDirectory(found)) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }

  /// Files below a folder whose names end so, sorted.
  public static List<Path> files(Path folder, String ending) throws IOException {
    try (var walk = Files.walk(folder)) {
      return walk.filter(file -> file.getFileName().toString().endsWith(ending)).sorted().toList();
    }
  }

  /// Octets with each bare LF made CRLF, as a message has them on the wire.
  public static byte[] crlf(byte[] octets) {
    var out = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r')) {
        out.write('\r');
      }
      out.write(octets[i]);
    }
    return out.toByteArray();
  }

  /// Octets with each CRLF made LF.
  static byte[] lf(byte[] octets) {
    var out = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] != '\r' || i + 1 == octets.length || octets[i + 1] != '\n') {
        out.write(octets[i]);
      }
    }
    return out.toByteArray();
  }
}
