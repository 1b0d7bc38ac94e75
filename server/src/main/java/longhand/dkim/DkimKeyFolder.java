package longhand.dkim;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.StringTokenizer;
import java.util.function.BiFunction;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.dkim.HeldKey.Stage;
import longhand.mail.Domain;

/// The DKIM keys of one domain, in `dkim/<domain>/` under the data folder:
///
///     keys              which keys there are: a line each, selector, stage, since when
///     20261124r.pem     a key, PKCS#8; whether RSA or Ed25519 the key itself tells
///     20261124e.pem
///
/// Keys come in pairs, one RSA and one Ed25519, since each message gets a signature by both. The
/// first pair of a domain signs at once: before its records are published its signatures count for
/// nothing, as if there were none (RFC 6376 §6.1), and nobody has to remember to switch them on. A
/// later pair *waits*, and takes over by [#activate], which who calls it does only when DNS shows
/// its records; a server that switched by itself whenever DNS looks so could be talked into it, and
/// could not know that the answer it sees is not yet everybody's. The pair before is *retired*, and
/// its records stay for [HeldKey#RETIRED_KEPT].
///
/// A key's file is written and forced before `keys` names it, and removed after `keys` no longer
/// does; each file is written beside and put in place by its name. So a crash at any point leaves
/// the state before or after, and at most a file that nobody names. Changes are made under a lock,
/// since commands may run at once. For one thread.
public final class DkimKeyFolder {

  static final String STATE = "keys";

  private static final int FILE_OCTETS_MAX = 65_536;
  private static final int KEYS_MAX = 100;
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("yyyyMMdd").withZone(ZoneOffset.UTC);
  private static final String HEADER =
      """
      # DKIM keys: selector, stage (waiting, signing, retired), since when.
      # Changed by: longhand dkim rotate
      """;

  private final Path data;
  private final Path folder;
  private final Disk disk;
  private final BiFunction<String, DkimAlgorithm, DkimKey> maker;

  /// @param data the data folder; nothing is read or made yet
  /// @throws IllegalArgumentException when no folder can be named after the domain
  public DkimKeyFolder(Path data, Domain domain, Disk disk) {
    this(data, domain, disk, DkimKey::make);
  }

  DkimKeyFolder(
      Path data, Domain domain, Disk disk, BiFunction<String, DkimAlgorithm, DkimKey> maker) {
    if (!isFolderName(domain)) {
      throw new IllegalArgumentException("a domain that no folder can be named after: " + domain);
    }
    this.data = data;
    this.maker = maker;
    this.folder = data.resolve("dkim").resolve(domain.name());
    this.disk = disk;
  }

  /// Whether a domain is one that can have keys: letters, digits, dots, hyphens.
  static boolean isFolderName(Domain domain) {
    var name = domain.name();
    return name.charAt(0) != '.'
        && name.chars()
            .allMatch(
                c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-');
  }

  /// Where the keys are.
  public Path path() {
    return folder;
  }

  Path state() {
    return folder.resolve(STATE);
  }

  /// All keys, in the order of the file; none when the domain has none yet.
  ///
  /// @throws IOException also when a file does not hold what it should; the text names it
  public List<HeldKey> keys() throws IOException {
    String text;
    try {
      text = read(state());
    } catch (NoSuchFileException e) {
      return List.of();
    }
    var keys = new ArrayList<HeldKey>();
    int number = 0;
    for (var line : text.lines().toList()) {
      number++;
      var words = new StringTokenizer(line);
      if (line.startsWith("#") || !words.hasMoreTokens()) {
        continue;
      }
      if (keys.size() == KEYS_MAX) {
        throw new IOException(state() + ": more than " + KEYS_MAX + " keys");
      }
      keys.add(key(words, number));
    }
    return keys;
  }

  private HeldKey key(StringTokenizer words, int number) throws IOException {
    if (words.countTokens() == 3) {
      var selector = words.nextToken();
      var stage = Stage.of(words.nextToken());
      var since = words.nextToken();
      if (DkimKey.isSelector(selector) && stage.isPresent()) {
        try {
          return new HeldKey(load(selector), stage.get(), Instant.parse(since));
        } catch (java.time.DateTimeException e) {
          // Answered below.
        }
      }
    }
    throw new IOException(
        state()
            + ":"
            + number
            + ": expected a selector, a stage and a time, as in:"
            + " 20261124r signing 2026-11-24T12:00:00Z");
  }

  private DkimKey load(String selector) throws IOException {
    var file = folder.resolve(selector + ".pem");
    return DkimKey.ofPem(selector, read(file))
        .orElseThrow(() -> new IOException(file + " holds no RSA or Ed25519 key (PKCS#8, PEM)"));
  }

  /// Makes the first pair, which signs at once; nothing when a key signs or waits already.
  ///
  /// @return whether a pair was made
  public boolean create(Instant now) throws IOException {
    try (var _ = lock()) {
      var keys = keys();
      if (keys.stream().anyMatch(key -> key.stage() != Stage.RETIRED)) {
        return false;
      }
      var all = new ArrayList<>(keys);
      all.addAll(make(Stage.SIGNING, now));
      write(all, now);
      return true;
    }
  }

  /// Makes a pair that waits; nothing when one waits already. The records of retired keys whose
  /// time is over are forgotten, and so are their keys.
  ///
  /// @return whether a pair was made
  public boolean rotate(Instant now) throws IOException {
    try (var _ = lock()) {
      var all = new ArrayList<>(keys());
      boolean waiting = all.stream().anyMatch(key -> key.stage() == Stage.WAITING);
      if (!waiting) {
        all.addAll(make(Stage.WAITING, now));
      }
      write(all, now);
      return !waiting;
    }
  }

  /// Lets those that wait sign, and retires those that signed; nothing when none waits.
  ///
  /// @return whether anything was changed
  public boolean activate(Instant now) throws IOException {
    try (var _ = lock()) {
      var keys = keys();
      if (keys.stream().noneMatch(key -> key.stage() == Stage.WAITING)) {
        return false;
      }
      var since = now.truncatedTo(ChronoUnit.SECONDS);
      write(
          keys.stream()
              .map(
                  key ->
                      switch (key.stage()) {
                        case WAITING -> new HeldKey(key.key(), Stage.SIGNING, since);
                        case SIGNING -> new HeldKey(key.key(), Stage.RETIRED, since);
                        case RETIRED -> key;
                      })
              .toList(),
          now);
      return true;
    }
  }

  private List<HeldKey> make(Stage stage, Instant now) throws IOException {
    var made = new ArrayList<HeldKey>();
    for (var algorithm : DkimAlgorithm.values()) {
      var key = maker.apply(free(DAY.format(now) + algorithm.keyType().charAt(0)), algorithm);
      replace(folder.resolve(key.selector() + ".pem"), key.toPem());
      made.add(new HeldKey(key, stage, now.truncatedTo(ChronoUnit.SECONDS)));
    }
    return made;
  }

  /// A selector that no key has; never one of old, whose record others may still hold.
  private String free(String wish) throws IOException {
    var names = disk.list(folder);
    var selector = wish;
    for (int number = 2; names.contains(selector + ".pem"); number++) {
      selector = wish + "-" + number;
    }
    return selector;
  }

  private void write(List<HeldKey> keys, Instant now) throws IOException {
    var text = new StringBuilder(HEADER);
    for (var key : keys) {
      if (key.published(now)) {
        text.append(key.key().selector() + " " + key.stage() + " " + key.since() + "\n");
      }
    }
    disk.forceFolder(folder); // the keys' own names
    replace(state(), text.toString());
    disk.forceFolder(folder);
    for (var key : keys) {
      if (!key.published(now)) {
        disk.delete(folder.resolve(key.key().selector() + ".pem"));
      }
    }
  }

  private Closeable lock() throws IOException {
    if (!disk.exists(folder)) {
      disk.createFolders(folder);
      disk.forceFolder(data.resolve("dkim"));
      disk.forceFolder(data);
    }
    var file = disk.open(folder.resolve(".lock"), Disk.Mode.CREATE);
    try {
      var lock = file.tryLock();
      if (lock == null) {
        throw new IOException("another command is changing " + folder + "; try again");
      }
      var held = file;
      return () -> {
        try (held) {
          lock.close();
        }
      };
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private void replace(Path file, String text) throws IOException {
    var fresh = file.resolveSibling("." + file.getFileName() + ".new");
    try (var out = disk.open(fresh, Disk.Mode.REPLACE)) {
      out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), 0);
      out.force(true);
    }
    disk.rename(fresh, file);
  }

  private String read(Path file) throws IOException {
    try (DiskFile in = disk.open(file, Disk.Mode.READ)) {
      long size = in.size();
      if (size > FILE_OCTETS_MAX) {
        throw new IOException(file + " is larger than " + FILE_OCTETS_MAX + " octets");
      }
      var octets = ByteBuffer.allocate((int) size);
      int count = in.read(octets, 0);
      return new String(octets.array(), 0, Math.max(0, count), StandardCharsets.ISO_8859_1);
    }
  }
}
