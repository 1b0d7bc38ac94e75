package longhand.directory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.mail.Address;
import longhand.mail.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A domain with very many accounts: a million with `-Dlonghand.long=true`, else a tenth of it.
class DirectoryScaleTest {

  private static final Domain DOMAIN = new Domain("example.com");
  private static final int ACCOUNTS = Boolean.getBoolean("longhand.long") ? 1_000_000 : 100_000;

  @TempDir Path data;
  private final CountingDisk disk = new CountingDisk();

  @Test
  void addingOneOfManyRewritesNothingAndLookingUpIsQuick() throws IOException {
    try (var directory =
        new Directory(disk, data, List.of(DOMAIN), new Random(1), System::nanoTime)) {
      var verifiers =
          new Authenticator(directory, new byte[32], AuthSettings.forTests()).verifiers("x");
      var file = data.resolve("directory/example.com");
      var rest = " active 1G " + verifiers.password().toText() + " " + verifiers.scram().toText();
      try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
        for (int i = 0; i < ACCOUNTS; i++) {
          out.write("user" + i + rest + " User " + i + "\n");
        }
      }
      long began = System.nanoTime();
      assertThat(directory.size()).isEqualTo(ACCOUNTS);
      long loaded = System.nanoTime();
      var random = new Random(1);
      for (int i = 0; i < 10_000; i++) {
        int number = random.nextInt(ACCOUNTS);
        assertThat(directory.find(new Address("user" + number, DOMAIN)).orElseThrow().name())
            .isEqualTo("User " + number);
      }
      long found = System.nanoTime();
      for (int i = 0; i < 10_000; i++) {
        assertThat(directory.find(new Address("nobody" + i, DOMAIN))).isEmpty();
      }
      long before = Files.size(file);
      disk.octets.set(0);
      long adding = System.nanoTime();
      var added =
          new AccountRecord(
              new Address("one-more", DOMAIN),
              verifiers.password(),
              verifiers.scram(),
              "",
              0,
              true);
      assertThat(directory.add(added)).isTrue();
      long done = System.nanoTime();
      assertThat(Files.size(file) - before).isLessThan(500);
      assertThat(disk.octets.get()).as("octets written").isBetween(400L, 1000L);
      System.out.printf(
          "%,d accounts: indexed in %d ms, found in %.1f us, one added in %d ms with %d octets written%n",
          ACCOUNTS,
          (loaded - began) / 1_000_000,
          (found - loaded) / 10_000_000.0,
          (done - adding) / 1_000_000,
          disk.octets.get());
      assertThat((loaded - began) / 1_000_000_000).isLessThan(30);
    }
  }
}
