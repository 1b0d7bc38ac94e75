package longhand.dns;

import java.time.Duration;
import java.util.List;

/// What came of a question.
///
/// `secure` says that the answer and every alias on the way to it were validated with DNSSEC (RFC
/// 4035 §4.3). Without validation it is false. What fails validation is [Failed], never an answer.
public sealed interface Answer<T> {

  /// There are records.
  ///
  /// @param records at least one, in the order in which the server gave them
  /// @param ttl how long they may be kept, the least of all records and aliases
  /// @param canonical the name that has the records: the asked one, or where its aliases lead
  record Found<T>(List<T> records, Duration ttl, boolean secure, DnsName canonical)
      implements Answer<T> {

    public Found {
      records = List.copyOf(records);
      if (records.isEmpty()) {
        throw new IllegalArgumentException("found without records");
      }
    }
  }

  /// The name does not exist, nor anything below it (NXDOMAIN, RFC 8020).
  record NoSuchName<T>(boolean secure) implements Answer<T> {}

  /// The name exists, or may exist, but has no usable record of this kind (RFC 2308 §2.2).
  record NoSuchData<T>(boolean secure) implements Answer<T> {}

  /// Nobody knows just now: a temporary error.
  ///
  /// @param sentence what happened, for people; printable ASCII
  record Failed<T>(String sentence) implements Answer<T> {}
}
