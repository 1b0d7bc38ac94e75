package longhand.imap;

import java.util.List;

/// What FETCH can be asked for (RFC 3501 §6.4.5).
sealed interface FetchItem {

  /// Items without arguments.
  enum Attribute implements FetchItem {
    FLAGS,
    INTERNALDATE,
    SIZE,
    ENVELOPE,
    BODY,
    BODYSTRUCTURE,
    UID
  }

  /// Which octets of a part a section names.
  enum Piece {
    /// All: header and body of the message, the body of a part.
    ALL,
    HEADER,
    HEADER_FIELDS,
    HEADER_FIELDS_NOT,
    TEXT,
    MIME
  }

  /// Octets of a message.
  ///
  /// @param label what stands before them in the response, without the origin
  /// @param path part numbers, empty for the message itself
  /// @param fields of the two header field pieces
  /// @param origin first octet of a partial fetch, -1 for none
  /// @param octetsMax most octets of a partial fetch
  /// @param peek whether `\Seen` stays as it is
  record Section(
      String label,
      int[] path,
      Piece piece,
      List<String> fields,
      long origin,
      long octetsMax,
      boolean peek)
      implements FetchItem {

    public Section {
      fields = List.copyOf(fields);
    }

    /// Whether the message's own header is all that is needed.
    boolean isHeaderOnly() {
      return path.length == 0
          && switch (piece) {
            case HEADER, HEADER_FIELDS, HEADER_FIELDS_NOT -> true;
            case ALL, TEXT, MIME -> false;
          };
    }
  }
}
