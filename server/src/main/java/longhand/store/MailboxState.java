package longhand.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// One mailbox of an open account. All of it is guarded by the account's state lock, but `nextUid`
/// and the floors, which belong to whoever holds the writer lock.
final class MailboxState {

  private static final Entry[] EMPTY = {};

  final int number;
  final long validity;
  String name;
  Role role;
  boolean subscribed;

  /// The UID the next entry gets; ahead of what is visible while appends are under way.
  long nextUid;

  /// What the table in the document says.
  long floor;

  long firstRecent;
  long highestModseq;
  boolean gone;

  /// Visible entries by UID, the first `count` of the array, when the account is full. The array
  /// may be shared with views: entries are added behind `count`, never moved or removed in place.
  Entry[] entries = EMPTY;

  /// Whether only numbers are known of the entries.
  private boolean cold;

  /// While cold: how many are recent.
  private int recent;

  /// The greatest UID that was visible.
  private long lastUid;

  int count;
  int unseen;
  int deleted;
  long octets;
  final List<View> views = new ArrayList<>();

  MailboxState(AccountEntry.Row row) {
    this.number = row.number();
    this.validity = row.validity();
    this.name = row.name();
    this.role = row.role();
    this.subscribed = row.subscribed();
    this.nextUid = row.next();
    this.floor = row.next();
    this.firstRecent = row.recent();
  }

  AccountEntry.Row row() {
    return new AccountEntry.Row(number, name, role, validity, floor, firstRecent, subscribed);
  }

  Mailbox snapshot() {
    return new Mailbox(
        number,
        name,
        role,
        validity,
        visibleNext(),
        subscribed,
        count,
        unseen,
        deleted,
        recent(),
        octets,
        highestModseq);
  }

  /// One more than the greatest UID a session can know of.
  long visibleNext() {
    return Math.max(floor, lastUid + 1);
  }

  private int recent() {
    return cold ? recent : count - notBelow(firstRecent);
  }

  /// What the catalogue is told.
  CatalogueEntry.Counts counts() {
    return new CatalogueEntry.Counts(
        nextUid, count, unseen, deleted, firstRecent, recent(), octets, highestModseq);
  }

  /// Takes over what the catalogue knew; the entries are not known until `fill`.
  void know(CatalogueEntry.Counts counts) {
    cold = true;
    nextUid = counts.nextUid();
    floor = nextUid;
    count = counts.messages();
    unseen = counts.unseen();
    deleted = counts.deleted();
    firstRecent = counts.firstRecent();
    recent = counts.recent();
    octets = counts.octets();
    highestModseq = counts.highestModseq();
  }

  /// Takes all entries there are, in any order, in the place of what was known.
  void fill(List<Entry> all) {
    clear();
    all.sort(Comparator.comparingLong(Entry::uid));
    all.forEach(this::add);
  }

  /// The entries, by UID. None is known of a cold mailbox.
  List<Entry> visible() {
    return cold ? List.of() : Arrays.asList(entries).subList(0, count);
  }

  /// The index of the first entry whose UID is not below `uid`.
  int notBelow(long uid) {
    return notBelow(entries, count, uid);
  }

  static int notBelow(Entry[] entries, int count, long uid) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (entries[middle].uid < uid) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// Makes an entry visible. Its UID is greater than any before.
  void add(Entry entry) {
    if (cold) {
      count++;
      recent++;
    } else {
      if (count == entries.length) {
        entries = Arrays.copyOf(entries, Math.max(8, count + (count >> 1)));
      }
      entries[count++] = entry;
    }
    lastUid = entry.uid;
    count(entry.marks, 1);
    octets += entry.sizeOctets;
    highestModseq = Math.max(highestModseq, entry.modseq);
    for (var view : views) {
      view.added();
    }
  }

  /// Takes away all entries that are marked expunged.
  void removeExpunged() {
    var left = new Entry[count];
    int kept = 0;
    for (int i = 0; i < count; i++) {
      var entry = entries[i];
      if (entry.expunged) {
        count(entry.marks, -1);
        octets -= entry.sizeOctets;
        highestModseq = Math.max(highestModseq, entry.modseq);
      } else {
        left[kept++] = entry;
      }
    }
    if (kept < count) {
      floor = Math.max(floor, visibleNext());
    }
    entries = left;
    count = kept;
    for (var view : views) {
      view.removed();
    }
  }

  private void clear() {
    cold = false;
    entries = EMPTY;
    count = 0;
    unseen = 0;
    deleted = 0;
    octets = 0;
  }

  void remark(Entry entry, Marks marks, long modseq) {
    count(entry.marks, -1);
    count(marks, 1);
    entry.marks = marks;
    entry.modseq = modseq;
    highestModseq = Math.max(highestModseq, modseq);
    for (var view : views) {
      view.marked(entry);
    }
  }

  private void count(Marks marks, int difference) {
    if (!marks.has(Flag.SEEN)) {
      unseen += difference;
    }
    if (marks.has(Flag.DELETED)) {
      deleted += difference;
    }
  }
}
