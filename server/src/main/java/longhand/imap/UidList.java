package longhand.imap;

/// UIDs in the order they come, as `uid-set`: runs of ascending neighbours are written as ranges.
final class UidList {

  private final StringBuilder text = new StringBuilder();
  private long first;
  private long last;

  void add(long uid) {
    if (first != 0 && uid == last + 1) {
      last = uid;
      return;
    }
    close();
    first = uid;
    last = uid;
  }

  private void close() {
    if (first == 0) {
      return;
    }
    text.append(text.isEmpty() ? "" : ",").append(first);
    if (last != first) {
      text.append(':').append(last);
    }
  }

  @Override
  public String toString() {
    close();
    first = 0;
    return text.toString();
  }
}
