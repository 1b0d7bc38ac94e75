package longhand.sending;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// What is known of the sending of one account: in memory ahead of its file, for as long as the
/// writer takes. Safe for any thread; its lock is held while the file is read, once, and never
/// while it is written.
final class AccountSending {

  private static final System.Logger LOG = System.getLogger(AccountSending.class.getName());

  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);

  /// Lines that count no more, beside as many as do, before the file is written anew.
  private static final int OLD_LINES_MAX = 500;

  private final Address account;
  private final SendingFile file;
  private final int knownMax;
  private final int suppressedMax;

  // Guarded by this.
  private boolean loaded;
  private boolean writable = true;
  private boolean forgotten;
  private Window hour = Window.NEVER;
  private Window day = Window.NEVER;
  private final Map<String, LocalDate> known = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<Address, Suppression> suppressed = new LinkedHashMap<>();
  private @Nullable StringBuilder added;
  private boolean countsChanged;
  private boolean force;
  private boolean rewrite;
  private boolean underway;
  private int linesInFile;

  AccountSending(Address account, SendingFile file, int knownMax, int suppressedMax) {
    this.account = account;
    this.file = file;
    this.knownMax = knownMax;
    this.suppressedMax = suppressedMax;
  }

  Address account() {
    return account;
  }

  SendingFile file() {
    return file;
  }

  /// Reads the file, the first time. False when this is out of use: another has its place.
  synchronized boolean use() {
    if (forgotten) {
      return false;
    }
    if (!loaded) {
      loaded = true;
      try {
        load(file.read());
      } catch (IOException e) {
        // What may be there is worth more than what comes: it is not written over.
        writable = false;
        LOG.log(
            Level.WARNING,
            () -> file + " cannot be read; what is counted now is kept in memory: " + e);
      }
    }
    return true;
  }

  private void load(SendingFile.Content content) {
    int damaged = content.whole() ? 0 : 1;
    for (var text : content.lines()) {
      switch (SendingLine.of(text)) {
        case SendingLine.Hour(var window) -> hour = window;
        case SendingLine.Day(var window) -> day = window;
        case SendingLine.Known(var last, var address) -> known(address, last);
        case SendingLine.Suppressed(var each) -> suppressed(each);
        case SendingLine.Allowed(var address) -> suppressed.remove(address.canonical());
        case SendingLine.Remark _ -> {}
        case SendingLine.Damaged _ -> damaged++;
      }
    }
    linesInFile = content.lines().size();
    rewrite = damaged > 0 || content.lines().isEmpty();
    if (damaged > 0) {
      int passed = damaged;
      LOG.log(Level.WARNING, () -> file + ": " + passed + " damaged lines are passed over");
    }
  }

  private void known(String address, LocalDate last) {
    known.put(address, last);
    trim(known.entrySet().iterator(), known.size() - knownMax);
  }

  private void suppressed(Suppression suppression) {
    var key = suppression.address().canonical();
    suppressed.remove(key);
    suppressed.put(key, suppression);
    trim(suppressed.entrySet().iterator(), suppressed.size() - suppressedMax);
  }

  private static void trim(Iterator<?> oldestFirst, int surplus) {
    for (int i = 0; i < surplus; i++) {
      oldestFirst.next();
      oldestFirst.remove();
    }
  }

  synchronized Window hour(Instant now) {
    return hour.at(now, HOUR);
  }

  synchronized Window day(Instant now) {
    return day.at(now, DAY);
  }

  /// When a window that began then is over.
  static Instant hourEnd(Window window) {
    return window.began().plus(HOUR);
  }

  static Instant dayEnd(Window window) {
    return window.began().plus(DAY);
  }

  synchronized boolean knows(Address address) {
    return known.containsKey(address.toString());
  }

  /// A message was sent to those, in canonical form. False when this is out of use.
  synchronized boolean sent(Collection<Address> to, Instant now) {
    if (forgotten) {
      return false;
    }
    var today = LocalDate.ofInstant(now, ZoneOffset.UTC);
    int fresh = 0;
    for (var address : to) {
      var text = address.toString();
      var last = known.get(text);
      fresh += last == null ? 1 : 0;
      if (!today.equals(last)) {
        known(text, today);
        add(new SendingLine.Known(today, text));
      }
    }
    hour = hour.at(now, HOUR).with(to.size(), fresh);
    day = day.at(now, DAY).with(to.size(), fresh);
    countsChanged = true;
    return true;
  }

  synchronized Optional<Suppression> suppression(Address address, Instant now) {
    return Optional.ofNullable(suppressed.get(address.canonical()))
        .filter(each -> now.isBefore(each.until()));
  }

  synchronized List<Suppression> suppressions(Instant now) {
    return suppressed.values().stream().filter(each -> now.isBefore(each.until())).toList();
  }

  /// False when this is out of use.
  synchronized boolean suppress(Suppression suppression) {
    if (forgotten) {
      return false;
    }
    suppressed(suppression);
    add(new SendingLine.Suppressed(suppression));
    force = true;
    return true;
  }

  /// Whether the address was suppressed; empty when this is out of use.
  synchronized Optional<Boolean> allow(Address address) {
    if (forgotten) {
      return Optional.empty();
    }
    if (suppressed.remove(address.canonical()) == null) {
      return Optional.of(false);
    }
    add(new SendingLine.Allowed(address));
    force = true;
    return Optional.of(true);
  }

  private void add(SendingLine line) {
    if (rewrite || !writable) {
      return; // it is in memory, and all of that is written then
    }
    if (added == null) {
      added = new StringBuilder();
    }
    added.append(line.text());
    linesInFile++;
  }

  /// What is to be written.
  ///
  /// @param whole whether it is all there is, and takes the place of what is there
  record Unwritten(String lines, boolean whole, boolean force) {}

  /// What has changed since the last time, which then counts as written; empty when nothing has.
  synchronized Optional<Unwritten> take(Instant now) {
    boolean changed = countsChanged || added != null || force;
    if (!changed || !writable) {
      return Optional.empty();
    }
    if (rewrite || linesInFile > 2 * (known.size() + suppressed.size()) + OLD_LINES_MAX) {
      var all = all(now);
      clear();
      return Optional.of(new Unwritten(all, true, true));
    }
    var lines = added == null ? new StringBuilder() : added;
    if (countsChanged) {
      lines.append(new SendingLine.Hour(hour).text());
      lines.append(new SendingLine.Day(day).text());
      linesInFile += 2;
    }
    boolean forced = force;
    clear();
    return Optional.of(new Unwritten(lines.toString(), false, forced));
  }

  private void clear() {
    added = null;
    countsChanged = false;
    force = false;
    rewrite = false;
    underway = true;
  }

  private String all(Instant now) {
    suppressed.values().removeIf(each -> !now.isBefore(each.until()));
    var text = new StringBuilder();
    text.append("# What ").append(account);
    text.append(" has sent, whom it has written to, and where it sends nothing. The server writes");
    text.append(" here; the last line about a thing counts.\n");
    if (day.messages() > 0) {
      text.append(new SendingLine.Hour(hour).text());
      text.append(new SendingLine.Day(day).text());
    }
    suppressed.values().forEach(each -> text.append(new SendingLine.Suppressed(each).text()));
    known.forEach((address, last) -> text.append(new SendingLine.Known(last, address).text()));
    linesInFile = 3 + suppressed.size() + known.size();
    return text.toString();
  }

  /// What was taken is written; or all there is is due, since it could not be.
  synchronized void written(boolean done) {
    underway = false;
    if (!done) {
      rewrite = true;
      countsChanged = true;
      added = null;
    }
  }

  /// Addresses in memory.
  synchronized int weight() {
    return 8 + known.size() + 4 * suppressed.size();
  }

  /// Takes it out of use, if all of it is written, or cannot be.
  synchronized boolean forget() {
    forgotten = !writable || (!countsChanged && added == null && !force && !underway);
    return forgotten;
  }
}
