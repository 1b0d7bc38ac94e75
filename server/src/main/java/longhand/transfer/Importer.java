package longhand.transfer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import longhand.store.Account;
import longhand.store.Append;
import longhand.store.Entry;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Role;
import longhand.store.Store;

/// Takes messages of other programs' files into an account, a batch at a time: each batch is all or
/// nothing in the store, and noted in an [ImportLog] before. Interrupted at any point and run
/// again, it goes on behind what is in, and nothing is there twice. Run it for one source at a
/// time.
public final class Importer {

  /// Hears how it goes.
  public interface Listener {
    /// So far it is.
    void at(long octets, long total, long messages);

    /// Something a person should know.
    void note(String note);
  }

  /// What came of it.
  ///
  /// @param known messages left out since they were there already
  /// @param refused sources that could not be read whole
  public record Outcome(long messages, long octets, long known, long refused) {}

  private static final int BATCH_MESSAGES = 500;
  private static final long BATCH_OCTETS = 4 << 20;

  private final Store store;
  private final Account account;
  private final Path logs;
  private final Optional<String> mailbox;
  private final boolean again;
  private final Listener listener;
  private long messages;
  private long octets;
  private long known;
  private long refused;
  private long total;
  private long passed;

  /// @param logs the folder where it is noted what is in, of this account alone
  /// @param mailbox where all goes; else the sources say, or it is INBOX
  /// @param again whether what was taken in before is to be taken in once more
  public Importer(
      Store store,
      Account account,
      Path logs,
      Optional<String> mailbox,
      boolean again,
      Listener listener) {
    this.store = store;
    this.account = account;
    this.logs = logs;
    this.mailbox = mailbox;
    this.again = again;
    this.listener = listener;
  }

  /// Imports files and folders, in their order. A source that cannot be read is noted, and the
  /// others go on.
  ///
  /// @throws IOException when the store cannot be written
  /// @throws MailboxException when a mailbox cannot be made
  public Outcome run(List<Path> paths) throws IOException, MailboxException {
    var all = new ArrayList<Sources>();
    try {
      for (var path : paths) {
        var sources = Sources.of(path);
        all.add(sources);
        sources.passedOver().forEach(file -> listener.note("passed over: " + file));
        sources.found().forEach(source -> total += source.total());
      }
      for (var sources : all) {
        for (var source : sources.found()) {
          take(source);
        }
      }
    } finally {
      for (var sources : all) {
        sources.close();
      }
    }
    return new Outcome(messages, octets, known, refused);
  }

  private void take(MessageSource source) throws IOException, MailboxException {
    var name = mailbox.or(source::mailbox).orElse("INBOX");
    int number = number(name);
    try (var log = new ImportLog(logs, source.name() + " " + name, again)) {
      var open = log.open();
      if (open != null && isIn(source, log, open)) {
        log.done(true);
      } else if (open != null) {
        log.done(false);
      }
      known += log.messages();
      source.resume(log.done(), log.end(), log.check());
      if (!log.end().isEmpty()) {
        passed += Long.parseLong(log.end());
        listener.note(source.name() + ": going on at octet " + log.end());
      }
      copy(source, log, number);
    }
  }

  private int number(String name) throws IOException, MailboxException {
    var there = account.mailbox(name);
    return there.isPresent() ? there.get().number() : account.create(name, Role.NONE).number();
  }

  private void copy(MessageSource source, ImportLog log, int number)
      throws IOException, MailboxException {
    var batch = new ArrayList<Found>();
    var letters = new ArrayList<Letter>();
    long size = 0;
    try {
      while (true) {
        Found found;
        try {
          found = source.next();
        } catch (IOException e) {
          listener.note(String.valueOf(e.getMessage()));
          refused++;
          found = null;
        }
        if (found != null) {
          var letter = store.letter();
          letters.add(letter);
          found.content().writeTo(letter);
          letter.finish();
          batch.add(found);
          size += letter.sizeOctets();
        }
        if (!batch.isEmpty()
            && (found == null || batch.size() == BATCH_MESSAGES || size >= BATCH_OCTETS)) {
          put(source, log, number, batch, letters);
          size = 0;
        }
        if (found == null) {
          return;
        }
      }
    } finally {
      letters.forEach(Letter::close);
    }
  }

  private void put(
      MessageSource source, ImportLog log, int number, List<Found> batch, List<Letter> letters)
      throws IOException, MailboxException {
    var appends = new ArrayList<Append>();
    for (int i = 0; i < batch.size(); i++) {
      var found = batch.get(i);
      var letter = letters.get(i);
      appends.add(
          new Append(
              account, number, found.sender(), found.saved(), found.marks(), new byte[0], letter));
      octets += letter.sizeOctets();
      passed += found.octets();
    }
    var end = batch.getLast().end();
    log.batch(account.lastId(), batch, end.isEmpty() ? "" : source.check(end));
    store.append(appends);
    log.done(true);
    messages += batch.size();
    letters.forEach(Letter::close);
    letters.clear();
    batch.clear();
    listener.at(passed, total, messages);
  }

  /// Whether the messages of a batch that was under way when an import ended are in the account: as
  /// many, one behind the other, of the same sizes and dates, with ids behind those there were.
  private boolean isIn(MessageSource source, ImportLog log, ImportLog.Batch batch)
      throws IOException, MailboxException {
    var later = later(batch.lastId());
    if (later.isEmpty()) {
      return false;
    }
    try (var reader = source.reopened()) {
      reader.resume(log.done(), log.end(), log.check());
      var wanted = new HashSet<>(batch.positions());
      var sizes = new ArrayList<long[]>();
      for (var found = reader.next(); found != null; found = reader.next()) {
        boolean inside =
            batch.end().isEmpty()
                ? wanted.contains(found.position())
                : Long.parseLong(found.position()) < Long.parseLong(batch.end());
        if (inside) {
          try (var letter = store.letter()) {
            found.content().writeTo(letter);
            letter.finish();
            sizes.add(new long[] {letter.sizeOctets(), found.saved().getEpochSecond()});
          }
        } else if (!batch.end().isEmpty()) {
          break;
        }
      }
      return contains(later.values(), sizes);
    }
  }

  private static boolean contains(Collection<Entry> later, List<long[]> sizes) {
    var entries = List.copyOf(later);
    for (int at = 0; at + sizes.size() <= entries.size(); at++) {
      boolean same = !sizes.isEmpty();
      for (int i = 0; i < sizes.size() && same; i++) {
        var entry = entries.get(at + i);
        same =
            entry.sizeOctets() == sizes.get(i)[0]
                && entry.saved().getEpochSecond() == Math.max(0, sizes.get(i)[1]);
      }
      if (same) {
        return true;
      }
    }
    return false;
  }

  private SortedMap<Long, Entry> later(long lastId) throws IOException, MailboxException {
    var later = new TreeMap<Long, Entry>();
    for (Mailbox each : account.mailboxes()) {
      try (var view = account.view(each.number(), false)) {
        for (int i = 1; i <= view.count(); i++) {
          if (view.at(i).id() > lastId) {
            later.put(view.at(i).id(), view.at(i));
          }
        }
      }
    }
    return later;
  }
}
