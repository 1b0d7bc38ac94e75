package longhand.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import longhand.directory.Directory;
import longhand.srs.SenderRewriting;

/// The secrets of rewritten reverse-paths: lines of the file `srs-secret` in the data folder, made
/// with one when there is none. The first signs; the second, if there is one, is what signed
/// before, and still takes back what it has signed. A secret is the text of its line, as in
/// postsrsd's file.
final class RewritingSecrets {

  private static final int SECRETS_MAX = 2;
  private static final int CHARS_MIN = 16;
  private static final int FILE_BYTES_MAX = 4096;
  private static final int OCTETS = 32;

  private RewritingSecrets() {}

  /// What rewrites the reverse-paths of a server with that configuration.
  static SenderRewriting rewriting(Config config, Directory directory) throws IOException {
    return new SenderRewriting(
        config.rewritingDomain(),
        directory::isLocal,
        read(config.data().resolve("srs-secret")),
        InstantSource.system());
  }

  /// The secrets of a file.
  ///
  /// @throws IOException also when the file holds something else; the text says what is expected
  static List<String> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      create(file);
    }
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IOException(file + " is larger than " + FILE_BYTES_MAX + " bytes");
    }
    var secrets = new ArrayList<String>();
    for (var line : Files.readString(file, StandardCharsets.ISO_8859_1).lines().toList()) {
      var secret = line.strip();
      if (!secret.isEmpty()) {
        secrets.add(secret);
      }
    }
    if (secrets.isEmpty()
        || secrets.size() > SECRETS_MAX
        || secrets.stream().anyMatch(secret -> !isSecret(secret))) {
      throw new IOException(
          file
              + ": expected one line, or two while a secret is replaced, each of at least "
              + CHARS_MIN
              + " printable ASCII characters; without the file, one is made");
    }
    return secrets;
  }

  private static boolean isSecret(String text) {
    return text.length() >= CHARS_MIN && text.chars().allMatch(c -> c > ' ' && c < 0x7f);
  }

  private static void create(Path file) throws IOException {
    var secret = new byte[OCTETS];
    new SecureRandom().nextBytes(secret);
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(fresh, HexFormat.of().formatHex(secret) + "\n");
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
