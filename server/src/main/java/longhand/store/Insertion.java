package longhand.store;

/// An entry about to be put at the end of a document.
///
/// @param head the `From ` line and the ledger
record Insertion(Entry entry, byte[] head, Text text, byte[] tail) {

  long octets() {
    return head.length + text.total() + tail.length;
  }
}
