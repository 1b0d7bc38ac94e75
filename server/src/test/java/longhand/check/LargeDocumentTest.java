package longhand.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.store.Append;
import longhand.store.Mailbox;
import longhand.store.Marks;
import longhand.store.Store;
import longhand.store.StoreSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A document whose messages are mostly holes, so that it is long and takes little of the disk: a
/// few megabytes, or with `-Dlonghand.long=true` more than two gigabytes.
class LargeDocumentTest {

  private static final boolean LONG = Boolean.getBoolean("longhand.long");
  private static final int HOLE = LONG ? 512 << 20 : 3 << 20;
  private static final int MESSAGES = 5;

  @TempDir Path data;
  private final List<Long> ends = new ArrayList<>();

  @Test
  void isCheckedToItsEnd() throws Exception {
    var document = document();
    long size = Files.size(document);
    assertThat(size).isGreaterThan((long) HOLE * MESSAGES);
    var findings = new ArrayList<Finding>();
    var extent = new Checker(new FileSystemDisk(), data, findings::add).check(null);
    assertThat(findings).isEmpty();
    assertThat(extent.messages()).isEqualTo(MESSAGES + 1);
    assertThat(extent.octets()).isEqualTo(size);
    // One octet of the last message, and one of its ledger.
    long text = ends.getLast() - 1000;
    flip(document, text);
    new Checker(new FileSystemDisk(), data, findings::add).check(null);
    assertThat(findings).hasSize(1);
    assertThat(findings.getFirst().text()).contains("fails its check");
    assertThat(findings.getFirst().offset()).isBetween(ends.get(MESSAGES - 2), text);
  }

  private static void flip(Path document, long at) throws IOException {
    try (var file = FileChannel.open(document, StandardOpenOption.WRITE)) {
      assertThat(file.write(ByteBuffer.wrap(new byte[] {1}), at)).isEqualTo(1);
    }
  }

  /// What the store makes of one message, and behind it the same with a hole in its text.
  private Path document() throws Exception {
    var address = new Address("jbob", new Domain("example.com"));
    try (var store =
            Store.open(
                data,
                new FileSystemDisk(),
                Clock.systemUTC(),
                new SecureRandom(),
                StoreSettings.DEFAULT);
        var letter = store.letter()) {
      var octets = "Subject: x\r\n\r\nx\r\n".getBytes(StandardCharsets.US_ASCII);
      letter.write(octets, 0, octets.length);
      letter.finish();
      store.append(
          List.of(
              new Append(
                  store.account(address),
                  Mailbox.INBOX,
                  ReversePath.NULL,
                  Instant.ofEpochSecond(1_700_000_000L),
                  Marks.NONE,
                  new byte[0],
                  letter)));
    }
    var path = data.resolve("mail").resolve(Store.documentName(address));
    var whole = Files.readString(path, StandardCharsets.ISO_8859_1);
    int start = whole.lastIndexOf("\nFrom MAILER-DAEMON ") + 1;
    int text = whole.indexOf("Subject: x\n\nx\n", start);
    var zeros = ByteBuffer.allocate(1 << 20);
    try (var file = FileChannel.open(path, StandardOpenOption.WRITE)) {
      long at = file.size();
      for (int i = 0; i < MESSAGES; i++) {
        var head = "Subject: hole\n\n";
        var crc = new CRC32C();
        crc.update(head.getBytes(StandardCharsets.US_ASCII));
        for (int done = 0; done < HOLE; done += zeros.capacity()) {
          crc.update(zeros.clear());
        }
        crc.update('\n');
        long length = head.length() + HOLE + 1L;
        var entry = ledger(whole.substring(start, text), i + 2, length, crc.getValue()) + head;
        at += file.write(ByteBuffer.wrap(entry.getBytes(StandardCharsets.ISO_8859_1)), at);
        at += HOLE;
        at += file.write(ByteBuffer.wrap(new byte[] {'\n', '\n'}), at);
        ends.add(at);
      }
    }
    return path;
  }

  /// The lines above a message, for another one.
  private static String ledger(String lines, int id, long length, long crc) {
    int at = lines.indexOf("X-Longhand: ");
    int end = lines.indexOf('\n', at);
    var fields = lines.substring(at, end).split(" ", -1);
    fields[2] = String.format(Locale.ROOT, "%010d", id);
    fields[3] = fields[2];
    fields[6] = String.format(Locale.ROOT, "%010d", length);
    // On the wire each of its three lines has a CR more.
    fields[7] = String.format(Locale.ROOT, "%010d", length + 3);
    fields[8] = String.format(Locale.ROOT, "%08x", crc);
    fields[11] = "";
    var line = String.join(" ", fields);
    var check = new CRC32C();
    check.update(line.getBytes(StandardCharsets.ISO_8859_1));
    return lines.substring(0, at)
        + line
        + String.format(Locale.ROOT, "%08x", check.getValue())
        + lines.substring(end);
  }
}
