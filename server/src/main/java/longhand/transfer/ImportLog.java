package longhand.transfer;

import java.io.Closeable;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// What has been imported from one source, so that nothing is taken in twice. A batch is written
/// here, and forced, before the store gets it; so of all but the last batch it is known that they are
/// in, and of the last the account is asked: its messages would have ids behind the one noted.
///
///     # /home/jbob/old.mbox
///     batch 1041 500 81920 5d3a71c0 0      last id before, messages, end, check, the first
///     done
///
/// Of a source that is many files, there is no end and no check (`-`), and all files are named. A
/// line that is torn counts as none and is cut off.
final class ImportLog implements Closeable {

  /// A batch as noted.
  ///
  /// @param lastId the account's greatest id before it
  record Batch(long lastId, int messages, List<String> positions, String end, String check) {}

  private final FileChannel file;
  private final Set<String> done = new HashSet<>();
  private String end = "";
  private String check = "";
  private long messages;
  private @Nullable Batch open;

  /// @param again whether to begin anew
  ImportLog(Path folder, String source, boolean again) throws IOException {
    Files.createDirectories(folder);
    var crc = new CRC32C();
    crc.update(source.getBytes(StandardCharsets.UTF_8));
    var path =
        folder.resolve(String.format(Locale.ROOT, "%08x-%08x", crc.getValue(), source.hashCode()));
    if (again) {
      Files.deleteIfExists(path);
    }
    file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean whole = false;
    try {
      var text = Files.readString(path, StandardCharsets.ISO_8859_1);
      int end = text.lastIndexOf('\n') + 1;
      read(text.substring(0, end));
      file.truncate(end).position(end);
      if (end == 0) {
        write("# " + URLEncoder.encode(source, StandardCharsets.UTF_8) + "\n");
      }
      whole = true;
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "what was imported before cannot be read in " + path + "; --again takes in all of it", e);
    } finally {
      if (!whole) {
        file.close();
      }
    }
  }

  private void read(String text) {
    int from = 0;
    for (int to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      var words = MaildirSource.words(text.substring(from, to));
      from = to + 1;
      if (words.isEmpty()) {
        continue;
      }
      if (words.getFirst().equals("done")) {
        close(open);
        open = null;
      } else if (words.getFirst().equals("not")) {
        open = null;
      } else if (words.getFirst().equals("batch") && words.size() >= 6) {
        close(open);
        open =
            new Batch(
                Long.parseLong(words.get(1)),
                Integer.parseInt(words.get(2)),
                words.subList(5, words.size()).stream().map(ImportLog::decode).toList(),
                words.get(3).equals("-") ? "" : words.get(3),
                words.get(4).equals("-") ? "" : words.get(4));
      }
    }
  }

  private static String decode(String word) {
    return URLDecoder.decode(word, StandardCharsets.UTF_8);
  }

  private void close(@Nullable Batch batch) {
    if (batch != null) {
      end = batch.end;
      check = batch.check;
      messages += batch.messages;
      if (batch.end.isEmpty()) {
        done.addAll(batch.positions);
      }
    }
  }

  /// Names of files that are in.
  Set<String> done() {
    return done;
  }

  /// Messages that are in.
  long messages() {
    return messages;
  }

  /// Up to where a source of one file is in; empty when it is not.
  String end() {
    return end;
  }

  /// What the source's `check` said of that.
  String check() {
    return check;
  }

  /// The last batch, when it is not known whether it is in.
  @Nullable Batch open() {
    return open;
  }

  /// Notes a batch that will be given to the store next.
  void batch(long lastId, List<Found> found, String check) throws IOException {
    var end = found.getLast().end();
    var line = new StringBuilder("batch ");
    line.append(lastId).append(' ').append(found.size()).append(' ');
    line.append(end.isEmpty() ? "-" : end);
    line.append(' ').append(check.isEmpty() ? "-" : check);
    for (var each : end.isEmpty() ? found : found.subList(0, 1)) {
      line.append(' ').append(URLEncoder.encode(each.position(), StandardCharsets.UTF_8));
    }
    write(line.append('\n').toString());
    file.force(true);
  }

  /// The last batch noted is in.
  void done(boolean isIn) throws IOException {
    write(isIn ? "done\n" : "not\n");
    if (open != null && isIn) {
      close(open);
    }
    open = null;
  }

  private void write(String text) throws IOException {
    var octets = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (octets.hasRemaining()) {
      file.write(octets);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
