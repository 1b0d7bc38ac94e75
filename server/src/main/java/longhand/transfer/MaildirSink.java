package longhand.transfer;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import longhand.store.Flag;

/// Writes a Maildir, one file a message: flags in its name, the time it was saved as the file's
/// time, keywords as letters that `dovecot-keywords` names (the first 26 of a folder; others are
/// left out). INBOX is the folder itself, other mailboxes are Maildir++ folders beside it:
/// `.Archive.2026`. Lines end with LF.
public final class MaildirSink implements MessageSink {

  private static final int LETTERS = 26;

  private final Path root;
  private final Map<String, Map<String, Integer>> keywords = new HashMap<>();

  /// @param root made when missing
  public MaildirSink(Path root) {
    this.root = root;
  }

  @Override
  public void message(MessageFacts facts, InputStream wire) throws IOException {
    var folder = folder(facts.mailbox());
    var known = keywords.get(facts.mailbox());
    if (known == null) {
      known = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      keywords.put(facts.mailbox(), known);
      for (var each : new String[] {"cur", "new", "tmp"}) {
        Files.createDirectories(folder.resolve(each));
      }
      if (!folder.equals(root)) {
        Files.write(folder.resolve("maildirfolder"), new byte[0]);
      }
    }
    // Letters of a file's flags come in their order.
    var info = new StringBuilder();
    var marks = facts.marks();
    info.append(marks.has(Flag.DRAFT) ? "D" : "").append(marks.has(Flag.FLAGGED) ? "F" : "");
    info.append(marks.has(Flag.ANSWERED) ? "R" : "").append(marks.has(Flag.SEEN) ? "S" : "");
    info.append(marks.has(Flag.DELETED) ? "T" : "");
    var letters = new StringBuilder();
    for (var keyword : marks.keywords()) {
      var number = known.get(keyword);
      if (number == null && known.size() < LETTERS) {
        number = known.size();
        known.put(keyword, number);
        writeKeywords(folder, known);
      }
      if (number != null) {
        letters.append((char) ('a' + number));
      }
    }
    letters.chars().sorted().forEach(letter -> info.append((char) letter));
    var name =
        String.format(
            Locale.ROOT,
            "%d.U%dE%d.longhand,W=%d:2,%s",
            facts.saved().getEpochSecond(),
            facts.uid(),
            Integer.toUnsignedLong(facts.mailbox().hashCode()),
            facts.sizeOctets(),
            info);
    var file = folder.resolve("cur").resolve(name);
    try (var out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
      LineFeeds.copy(wire, out);
    }
    Files.setLastModifiedTime(file, FileTime.from(facts.saved()));
  }

  private Path folder(String mailbox) {
    return mailbox.equals("INBOX") ? root : root.resolve(MaildirNames.folder(mailbox));
  }

  private static void writeKeywords(Path folder, Map<String, Integer> known) throws IOException {
    var lines = new StringBuilder();
    for (int i = 0; i < known.size(); i++) {
      for (var keyword : known.entrySet()) {
        if (keyword.getValue() == i) {
          lines.append(i).append(' ').append(keyword.getKey()).append('\n');
        }
      }
    }
    Files.writeString(folder.resolve("dovecot-keywords"), lines, StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    // Each file is closed when it is written.
  }
}
