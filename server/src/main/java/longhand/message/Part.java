package longhand.message;

/// Where one MIME part lies in its message, in octets from the message's beginning, and how it is
/// built.
///
/// @param kind what its body holds
/// @param parent the index of the part around it, -1 for the message itself
/// @param headerStart where its header begins
/// @param bodyStart after the empty line that ends the header
/// @param end after its last octet; the line end before a boundary belongs to the boundary
public record Part(Kind kind, int parent, long headerStart, long bodyStart, long end) {

  /// What a body holds.
  public enum Kind {
    /// Content: nothing further is known here.
    LEAF,
    /// Parts between boundaries (RFC 2046 §5.1).
    MULTIPART,
    /// One message with header and body, which is its only child (RFC 2046 §5.2.1).
    MESSAGE
  }
}
