package longhand.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import longhand.disk.Disk;
import longhand.disk.DiskFile;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import org.jspecify.annotations.Nullable;

/// Takes over what another program did to a document (`docs/document-format.md`, "Changes from
/// outside"): compares what is there with what the account knows, keeps what is ours, and takes in
/// the rest.
///
/// Messages from outside are first put aside, durably, in `<name>.incoming`; then the document is
/// brought into order without them; then they are appended as any message is. A crash in between
/// leaves them aside, and the next opening of the account goes on from there.
final class Takeover {

  private final Account account;

  Takeover(Account account) {
    this.account = account;
  }

  /// Takes in what another program did to the document. Called with the writer lock and nothing
  /// pending.
  void reconcile(Disk.@Nullable Facts seen) throws IOException {
    if (seen == null) {
      throw new DamagedException(account.name + " is gone; put it back, or restart to begin anew");
    }
    var file = account.store.disk().open(account.path, Disk.Mode.WRITE);
    boolean kept = false;
    try (var _ = account.store.outsideLock(account.path, file)) {
      kept = takeOver(file, file.size());
    } finally {
      if (!kept) {
        file.close();
      }
    }
    importIncoming();
  }

  /// Takes over the document in `file`, which differs from what we know; whether the file is in use
  /// now.
  private boolean takeOver(DiskFile file, long size) throws IOException {
    var reader = new Outside(file, size, account.token);
    long start = AccountEntry.textOffset() + account.room + 1L;
    var probe = new byte[6];
    boolean regular =
        start == size
            || (start < size
                && file.read(ByteBuffer.wrap(probe), start - 1) == 6
                && probe[0] == '\n'
                && Ledger.literal(probe, 1, 6, FROM_WORD));
    var live = new HashMap<Long, Entry>();
    for (var mailbox : account.mailboxes.values()) {
      mailbox.visible().forEach(entry -> live.put(entry.id, entry));
    }
    // Expunges that are durable but not yet written in place: the document still shows those as
    // live.
    var dying = new HashMap<Long, Long>();
    account.state.lock();
    try {
      for (var entry : account.unsettled.first(account.unsettled.size())) {
        if (entry.expunged) {
          dying.merge(entry.id, entry.modseq, Math::max);
        }
      }
    } finally {
      account.state.unlock();
    }
    var taken = new Taken(regular, dying);
    for (var item : reader.read(regular ? start : firstEntry(reader, file))) {
      switch (item) {
        case Outside.Item.Ours(var found) -> {
          taken.lastOurs = found.offset();
          takeOurs(found, live, taken, file);
        }
        case Outside.Item.Moved moved when taken.isDying(moved.ledger()) ->
            taken.layoutHolds = false;
        case Outside.Item.Moved moved -> {
          var entry = live.remove(moved.ledger().id());
          taken.layoutHolds = false;
          if (entry != null && entry.crc == moved.ledger().crc()) {
            taken.keeps.add(
                new Keep(entry, moved.fromLine(), moved.text(), 0, moved.marks(), moved.mailbox()));
          } else {
            taken.incoming.add(
                new Outside.Item.New(0, "MAILER-DAEMON", 0, moved.text(), moved.marks()));
          }
        }
        case Outside.Item.New message -> {
          taken.firstNew = Math.min(taken.firstNew, message.offset());
          taken.incoming.add(message);
        }
      }
    }
    taken.layoutHolds &= live.isEmpty();
    saveIncoming(taken.incoming);
    var doc = account.document;
    boolean behindAll = taken.firstNew >= account.end && taken.firstNew > taken.lastOurs;
    if (taken.layoutHolds && behindAll && doc != null && sameFile(file, doc)) {
      if (size > account.end) {
        file.truncate(account.end);
        file.force(true);
      }
      account.remember();
      for (var keep : taken.keeps) {
        if (!keep.marks.equals(keep.entry.marks)) {
          account.modseq++;
          account.remark(List.of(keep.entry), List.of(keep.marks), account.modseq);
        }
      }
      return false;
    }
    rewriteFrom(file, taken.keeps, live.values());
    return false;
  }

  private static final byte[] FROM_WORD = Ledger.ascii("From ");

  /// Whether a file just opened is the one in use, unchanged in length up to where we left it.
  private boolean sameFile(DiskFile file, Document doc) throws IOException {
    var known = account.facts;
    var now = account.store.disk().facts(account.path).orElse(null);
    return known != null
        && now != null
        && known.key().equals(now.key())
        && file.size() >= account.end
        && doc.file.size() == file.size();
  }

  /// Where the first message behind the account entry is, when the account entry has been changed.
  private static long firstEntry(Outside reader, DiskFile file) throws IOException {
    var head = new byte[AccountEntry.textOffset()];
    int n = file.read(ByteBuffer.wrap(head), 0);
    var line =
        n < head.length ? null : Ledger.parseLine(head, head.length - Ledger.LINE, head.length);
    return line != null && line.state() == Ledger.State.ACCOUNT ? reader.nextMessage(0) : 0;
  }

  /// What another program left of the entries.
  private static final class Taken {
    boolean layoutHolds;
    long firstNew = Long.MAX_VALUE;
    long lastOurs = -1;
    final List<Keep> keeps = new ArrayList<>();
    final List<Outside.Item.New> incoming = new ArrayList<>();

    /// By id, the modseq of an expunge that is not in the document yet.
    final Map<Long, Long> dying;

    Taken(boolean layoutHolds, Map<Long, Long> dying) {
      this.layoutHolds = layoutHolds;
      this.dying = dying;
    }

    boolean isDying(Ledger ledger) {
      return ledger.modseq() < dying.getOrDefault(ledger.id(), -1L);
    }
  }

  /// An entry that is still there.
  ///
  /// @param text when it had to be put together anew; else it lies in the file at `textOffset`
  private record Keep(
      Entry entry,
      byte[] fromLine,
      byte @Nullable [] text,
      long textOffset,
      Marks marks,
      int mailbox) {}

  private void takeOurs(DocumentScan.Found found, Map<Long, Entry> live, Taken taken, DiskFile file)
      throws IOException {
    var ledger = found.ledger();
    if (ledger.state() == Ledger.State.DEAD || taken.isDying(ledger)) {
      return;
    }
    var entry = live.get(ledger.id());
    if (entry == null && !account.mailboxes.containsKey(ledger.mailbox())) {
      // Of a mailbox that has been removed, which is as good as dead.
      return;
    }
    var fromLine = new byte[found.fromLength()];
    long text = found.offset() + found.fromLength() + ledger.octets();
    if (entry == null || entry.crc != ledger.crc() || entry.length != ledger.length()) {
      // A message that was expunged, or altered under its old ledger, has come back: it is a new
      // one.
      taken.layoutHolds = false;
      try (var in =
          new WireForm(
              file,
              text,
              new byte[0],
              0,
              (int) ledger.length(),
              ledger.quoted(),
              ledger.crc(),
              () -> {})) {
        taken.incoming.add(
            new Outside.Item.New(
                found.offset(),
                "MAILER-DAEMON",
                found.ledger().saved(),
                in.readAllBytes(),
                ledger.marks()));
      } catch (DamagedException e) {
        var raw = new byte[(int) ledger.length()];
        file.read(ByteBuffer.wrap(raw), text);
        taken.incoming.add(
            new Outside.Item.New(
                found.offset(), "MAILER-DAEMON", found.ledger().saved(), raw, ledger.marks()));
      }
      return;
    }
    live.remove(ledger.id());
    file.read(ByteBuffer.wrap(fromLine), found.offset());
    taken.layoutHolds &= found.offset() == entry.offset;
    boolean ours = found.marksIntact() && ledger.modseq() <= entry.modseq;
    taken.keeps.add(
        new Keep(
            entry,
            fromLine,
            null,
            text,
            ours ? entry.marks : ledger.marks(),
            found.marksIntact() ? entry.mailbox : ledger.mailbox()));
  }

  /// Writes the document anew from what another program left, and shows the difference.
  private void rewriteFrom(DiskFile file, List<Keep> keeps, Collection<Entry> missing)
      throws IOException {
    long now = ++account.modseq;
    for (var mailbox : account.mailboxes.values()) {
      mailbox.floor = Math.max(mailbox.floor, mailbox.nextUid);
    }
    record Place(Entry entry, Entry twin, Marks marks, long offset, int from, int keywordsRoom) {}
    var places = new ArrayList<Place>();
    long generation = account.generation() + 1;
    var rewriter = new Rewriter(account.store.disk(), account.path, Rewriter.SUFFIX);
    Compaction.Head head;
    boolean written = false;
    try {
      // Twins of entries put into another mailbox get their UIDs first: the table must know of
      // them.
      var twins = new HashMap<Entry, Entry>();
      for (var keep : keeps) {
        var target = account.mailboxes.get(keep.mailbox);
        if (target != null && keep.mailbox != keep.entry.mailbox) {
          var old = keep.entry;
          twins.put(old, old.twin(keep.mailbox, old.id, target.nextUid++, now, keep.marks));
        }
      }
      head = account.compaction.head(generation, account.room);
      rewriter.add(head.whole());
      for (var keep : keeps) {
        var old = keep.entry;
        var twin = twins.getOrDefault(old, old);
        boolean changed = !keep.marks.equals(old.marks) || !twin.equals(old);
        int keywordsRoom = Ledger.keywordsRoom(keep.marks);
        places.add(
            new Place(old, twin, keep.marks, rewriter.end(), keep.fromLine.length, keywordsRoom));
        rewriter.add(keep.fromLine);
        rewriter.add(
            new Ledger(
                    account.token,
                    twin.id,
                    twin.uid,
                    changed ? now : old.modseq,
                    old.savedSeconds,
                    old.length,
                    old.sizeOctets,
                    old.crc,
                    Ledger.State.LIVE,
                    old.quoted,
                    keep.marks,
                    true,
                    twin.mailbox,
                    account.mailboxOf(twin.mailbox).name,
                    keywordsRoom,
                    Ledger.MAILBOX_ROOM)
                .format());
        int last;
        if (keep.text != null) {
          rewriter.add(keep.text);
          last = keep.text.length == 0 ? 0 : keep.text[keep.text.length - 1];
        } else {
          rewriter.copy(file, keep.textOffset, old.length);
          var one = new byte[1];
          if (old.length > 0) {
            file.read(ByteBuffer.wrap(one), keep.textOffset + old.length - 1);
          }
          last = one[0];
        }
        rewriter.add(last == '\n' ? new byte[] {'\n'} : new byte[] {'\n', '\n'});
      }
      written = true;
    } finally {
      if (!written) {
        rewriter.discard();
      }
    }
    account.replace(
        rewriter,
        generation,
        head,
        () -> {
          account.unsettled.clear();
          for (var place : places) {
            place.twin.place(place.offset, place.from, place.keywordsRoom, Ledger.MAILBOX_ROOM);
            if (!place.twin.equals(place.entry)) {
              place.entry.modseq = now;
              place.entry.expunged = true;
              account.mailboxOf(place.twin.mailbox).add(place.twin);
            } else if (!place.marks.equals(place.entry.marks)) {
              account.mailboxOf(place.entry.mailbox).remark(place.entry, place.marks, now);
            }
          }
          for (var entry : missing) {
            entry.modseq = now;
            entry.expunged = true;
          }
          for (var mailbox : account.mailboxes.values()) {
            mailbox.removeExpunged();
          }
        });
  }

  private Path incoming() {
    return account.path.resolveSibling(account.path.getFileName() + ".incoming");
  }

  /// Puts messages from outside aside, durably, before the document loses them.
  private void saveIncoming(List<Outside.Item.New> messages) throws IOException {
    if (messages.isEmpty()) {
      return;
    }
    try (var file = account.store.disk().open(incoming(), Disk.Mode.CREATE)) {
      long at = file.size();
      for (var message : messages) {
        var form = new Store.Prefix(message.wire());
        var out = new ByteArrayOutputStream();
        out.writeBytes(
            AccountEntry.fromLine(message.sender(), Instant.ofEpochSecond(message.savedSeconds())));
        out.writeBytes(Ledger.ascii("Status: " + (message.marks().has(Flag.SEEN) ? "RO" : "O")));
        out.writeBytes(Ledger.ascii("\nX-Status: "));
        for (var flag : message.marks().flags()) {
          out.write("?AFDT".charAt(Integer.numberOfTrailingZeros(flag.bit)));
        }
        out.writeBytes(
            Ledger.ascii("\nX-Keywords: " + String.join(" ", message.marks().keywords()) + "\n"));
        var text = form.octets.toByteArray();
        out.writeBytes(text);
        boolean ends = text.length > 0 && text[text.length - 1] == '\n';
        out.writeBytes(Ledger.ascii(ends ? "\n" : "\n\n"));
        var octets = out.toByteArray();
        file.write(ByteBuffer.wrap(octets), at);
        at += octets.length;
      }
      file.force(true);
    }
    account.store.disk().forceFolder(Objects.requireNonNull(account.path.getParent()));
  }

  /// Takes messages put aside into INBOX.
  void importIncoming() throws IOException {
    if (!account.store.disk().exists(incoming())) {
      return;
    }
    try (var file = account.store.disk().open(incoming(), Disk.Mode.READ)) {
      for (var item : new Outside(file, file.size(), "").read(0)) {
        if (item instanceof Outside.Item.New message) {
          importOne(message);
        }
      }
    }
    account.store.disk().delete(incoming());
  }

  private void importOne(Outside.Item.New message) throws IOException {
    try (var letter = account.store.letter()) {
      letter.write(message.wire(), 0, message.wire().length);
      letter.finish();
      account.store.append(
          List.of(
              new Append(
                  account,
                  Mailbox.INBOX,
                  sender(message.sender()),
                  message.savedSeconds() == 0
                      ? account.store.clock().instant()
                      : Instant.ofEpochSecond(message.savedSeconds()),
                  message.marks(),
                  new byte[0],
                  letter)));
    } catch (MailboxException e) {
      throw new IOException(e);
    }
  }

  private static ReversePath sender(String text) {
    int at = text.lastIndexOf('@');
    if (at < 1 || at == text.length() - 1 || text.length() - at > Domain.OCTETS_MAX) {
      return ReversePath.NULL;
    }
    return ReversePath.of(
        new Address(
            text.substring(0, at), new Domain(text.substring(at + 1).toLowerCase(Locale.ROOT))));
  }
}
