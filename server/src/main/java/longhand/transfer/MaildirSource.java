package longhand.transfer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import longhand.mail.ReversePath;
import longhand.message.Header;
import longhand.store.Flag;
import longhand.store.Letter;
import longhand.store.Marks;
import org.jspecify.annotations.Nullable;

/// Reads files that hold a message each: those of one Maildir folder, `cur` and `new`, or `.eml`
/// files. A Maildir's flags are in the names, keywords in `dovecot-keywords`, and a file's time
/// says when the message was saved; for an `.eml` file that is its latest Received or else its Date
/// field.
final class MaildirSource implements MessageSource {

  private final Path folder;
  private final Optional<String> mailbox;
  private final boolean maildir;
  private final List<Path> files;
  private final Map<Character, String> keywords = new HashMap<>();
  private final long total;
  private Set<String> done = Set.of();
  private int next;

  private MaildirSource(Path folder, Optional<String> mailbox, boolean maildir, List<Path> files)
      throws IOException {
    this.folder = folder;
    this.mailbox = mailbox;
    this.maildir = maildir;
    this.files = new ArrayList<>(files);
    this.files.sort(Comparator.comparing(MaildirSource::unique));
    long octets = 0;
    for (var file : files) {
      octets += Files.size(file);
    }
    this.total = octets;
  }

  /// One folder of a Maildir.
  static MaildirSource maildir(Path folder, Optional<String> mailbox) throws IOException {
    var files = new ArrayList<Path>();
    for (var each : List.of("cur", "new")) {
      if (Files.isDirectory(folder.resolve(each))) {
        try (var names = Files.newDirectoryStream(folder.resolve(each))) {
          for (var file : names) {
            if (!String.valueOf(file.getFileName()).startsWith(".")) {
              files.add(file);
            }
          }
        }
      }
    }
    var source = new MaildirSource(folder, mailbox, true, files);
    source.readKeywords();
    return source;
  }

  /// Single files.
  ///
  /// @param folder what they are known by together
  static MaildirSource files(Path folder, Optional<String> mailbox, List<Path> files)
      throws IOException {
    return new MaildirSource(folder, mailbox, false, files);
  }

  private void readKeywords() throws IOException {
    var file = folder.resolve("dovecot-keywords");
    if (!Files.exists(file) || Files.size(file) > 1 << 20) {
      return;
    }
    for (var line : lines(Files.readString(file, StandardCharsets.ISO_8859_1))) {
      var words = words(line);
      if (words.size() == 2
          && words.get(0).length() <= 2
          && words.get(0).chars().allMatch(c -> c >= '0' && c <= '9')
          && Integer.parseInt(words.get(0)) < 26
          && Marks.isKeyword(words.get(1))) {
        keywords.put((char) ('a' + Integer.parseInt(words.get(0))), words.get(1));
      }
    }
  }

  private static List<String> lines(String text) {
    return cut(text, '\n');
  }

  /// The words of a text, spaces between them.
  static List<String> words(String text) {
    return cut(text, ' ');
  }

  private static List<String> cut(String text, char at) {
    var parts = new ArrayList<String>();
    var part = new StringBuilder();
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : at;
      boolean ends = c == at || (at == ' ' && c < ' ');
      if (!ends) {
        part.append(c);
      } else if (!part.isEmpty()) {
        parts.add(part.toString());
        part.setLength(0);
      }
    }
    return parts;
  }

  /// What a file is known by: its name without flags, which mail programs change.
  private static String unique(Path file) {
    var name = String.valueOf(file.getFileName());
    int info = info(name);
    return info < 0 ? name : name.substring(0, info);
  }

  /// Where flags begin in a name; some systems cannot have the colon.
  private static int info(String name) {
    for (var mark : List.of(":2,", "!2,", ";2,")) {
      int at = name.lastIndexOf(mark);
      if (at >= 0) {
        return at;
      }
    }
    return -1;
  }

  @Override
  public String name() {
    return folder.toString();
  }

  @Override
  public Optional<String> mailbox() {
    return mailbox;
  }

  @Override
  public long total() {
    return total;
  }

  @Override
  public MessageSource reopened() throws IOException {
    var same = new MaildirSource(folder, mailbox, maildir, files);
    same.keywords.putAll(keywords);
    return same;
  }

  @Override
  public void resume(Set<String> done, String end, String check) {
    this.done = done;
  }

  @Override
  public String check(String end) {
    return "";
  }

  @Override
  public @Nullable Found next() throws IOException {
    while (next < files.size()) {
      var file = files.get(next++);
      var name = unique(file);
      if (!done.contains(name) && Files.isRegularFile(file)) {
        return new Found(
            name,
            "",
            ReversePath.NULL,
            maildir ? Files.getLastModifiedTime(file).toInstant() : saved(file),
            marks(String.valueOf(file.getFileName())),
            Files.size(file),
            letter -> copy(file, letter));
      }
    }
    return null;
  }

  private static void copy(Path file, Letter letter) throws IOException {
    try (var in = Files.newInputStream(file)) {
      var buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        letter.write(buffer, 0, n);
      }
    }
  }

  private static Instant saved(Path file) throws IOException {
    byte[] first;
    try (var in = Files.newInputStream(file)) {
      first = in.readNBytes(1 << 16);
    }
    var header = Header.of(first);
    for (var name : List.of("Received", "Date")) {
      var field = header.first(name);
      if (field.isPresent()) {
        var value = new String(field.get().value(), StandardCharsets.ISO_8859_1);
        var date =
            Dates.ofField(
                name.equals("Date") ? value : value.substring(value.lastIndexOf(';') + 1));
        if (date != null) {
          return date;
        }
      }
    }
    return Files.getLastModifiedTime(file).toInstant();
  }

  private Marks marks(String name) {
    int info = maildir ? info(name) : -1;
    if (info < 0) {
      return Marks.NONE;
    }
    var flags = new ArrayList<Flag>();
    var words = new ArrayList<String>();
    for (int i = info + 3; i < name.length(); i++) {
      char c = name.charAt(i);
      switch (c) {
        case 'S' -> flags.add(Flag.SEEN);
        case 'R' -> flags.add(Flag.ANSWERED);
        case 'F' -> flags.add(Flag.FLAGGED);
        case 'T' -> flags.add(Flag.DELETED);
        case 'D' -> flags.add(Flag.DRAFT);
        case 'P' -> words.add("$Forwarded");
        default -> {
          var keyword = keywords.get(c);
          if (keyword != null) {
            words.add(keyword);
          }
        }
      }
    }
    return Marks.of(flags, words);
  }

  @Override
  public void close() {
    // Each file is closed when it is read.
  }
}
