package longhand.queue;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import longhand.disk.Disk;
import longhand.journey.Journeys;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Store;
import longhand.store.StoreSettings;

/// A queue on one thread, with a clock that goes as the test says: the same each time.
final class TestQueue implements Closeable {

  static final Address SENDER = new Address("alice", new Domain("example.com"));
  static final Instant BEGAN = Instant.parse("2026-11-24T18:00:00Z");

  final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  final Store store;
  final Journeys journeys;
  final Queue queue;
  Instant now;
  private int ids;

  TestQueue(Disk disk, Path data, Courier courier, Instant now, int ids) throws IOException {
    this(disk, data, courier, now, ids, batches -> batches);
  }

  /// @param err makes of the store's batches those that the queue has
  TestQueue(Disk disk, Path data, Courier courier, Instant now, int ids, UnaryOperator<Batches> err)
      throws IOException {
    this.now = now;
    this.ids = ids;
    this.store = Store.open(data, disk, () -> this.now, new Random(1), SETTINGS);
    this.journeys =
        new Journeys(
            disk,
            data.resolve("journey"),
            Journeys.Settings.of(Duration.ofDays(14), Journeys.Settings.OCTETS_MIN),
            () -> this.now);
    boolean opened = false;
    try {
      this.queue =
          new Queue(
              store,
              err.apply(store::change),
              "mx.example.com",
              courier,
              () -> this.now,
              new Random(2),
              new Queue.Settings(100, Duration.ZERO),
              tasks::add,
              journeys);
      opened = true;
    } finally {
      if (!opened) {
        store.close();
      }
    }
    queue.returning(
        address ->
            address.domain().equals(SENDER.domain())
                ? List.of(new ReturnPath.Here(store.account(address)))
                : List.of(new ReturnPath.Elsewhere(address)));
    queue.load();
  }

  private static final StoreSettings SETTINGS =
      new StoreSettings(
          256 * 1024,
          4,
          false,
          Duration.ofSeconds(5),
          Duration.ofDays(1),
          false,
          Duration.ofMinutes(5),
          4096,
          1L << 30);

  static ForwardPath to(String address) {
    int at = address.indexOf('@');
    return ForwardPath.of(
        new Address(address.substring(0, at), new Domain(address.substring(at + 1))));
  }

  /// Accepts a message for those.
  String accept(String text, String... to) throws IOException, MailboxException {
    var paths = new ArrayList<ForwardPath>();
    for (var each : to) {
      paths.add(to(each));
    }
    return accept(SENDER, text, paths);
  }

  String accept(Address from, String text, List<ForwardPath> to)
      throws IOException, MailboxException {
    return accept(from, text, to, Handling.USUAL);
  }

  String accept(Address from, String text, List<ForwardPath> to, Handling handling)
      throws IOException, MailboxException {
    return accept(ReversePath.of(from), "Received: x\r\n", text, to, handling);
  }

  /// The same with another reverse-path and trace; an account hands it in all the same.
  String accept(
      ReversePath from, String trace, String text, List<ForwardPath> to, Handling handling)
      throws IOException, MailboxException {
    var id = Integer.toString(10_000 + ids++, 36);
    var envelope =
        new Envelope(
            from, to, Envelope.Body.SEVEN_BIT, false, Optional.empty(), Optional.empty(), handling);
    try (var letter = store.letter()) {
      var octets = text.getBytes(StandardCharsets.US_ASCII);
      letter.write(octets, 0, octets.length);
      letter.finish();
      var admission =
          queue.admit(
              id,
              Optional.of(from.address().orElse(SENDER)),
              envelope,
              letter,
              trace.getBytes(StandardCharsets.US_ASCII),
              now);
      boolean entered = false;
      try {
        var entry = store.append(List.of(admission.append())).getFirst();
        entered = true;
        admission.entered(entry);
      } finally {
        if (!entered) {
          admission.refused();
        }
      }
    }
    return id;
  }

  /// The reports in an account here, as one text each.
  List<String> reports(Address account) throws IOException, MailboxException {
    var reports = new ArrayList<String>();
    try (var view = store.account(account).view(Mailbox.INBOX, false)) {
      for (int i = 1; i <= view.count(); i++) {
        try (var in = store.account(account).open(view.at(i))) {
          reports.add(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
      }
    }
    return reports;
  }

  /// Runs what can be run now; whether all that came of it is written down.
  boolean run() {
    queue.step();
    boolean recorded = false;
    while (!recorded || !tasks.isEmpty()) {
      for (var task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
      }
      recorded = queue.step() != Queue.UNRECORDED_NANOS;
      if (!recorded && tasks.isEmpty()) {
        return false;
      }
    }
    return true;
  }

  /// Lets time go by, in steps.
  void pass(Duration time, Duration step) {
    var end = now.plus(time);
    run();
    while (now.isBefore(end)) {
      now = now.plus(step);
      run();
    }
  }

  @Override
  public void close() throws IOException {
    queue.close();
    store.close();
  }
}
