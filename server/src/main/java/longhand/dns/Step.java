package longhand.dns;

import java.time.Duration;
import java.util.List;

/// What one reply says to one question, aliases not followed.
sealed interface Step<T> {

  record Records<T>(List<T> records, Duration ttl, boolean secure) implements Step<T> {}

  record Alias<T>(DnsName target, Duration ttl, boolean secure) implements Step<T> {}

  record Nothing<T>(boolean nameExists, boolean secure) implements Step<T> {}

  record Failed<T>(String sentence) implements Step<T> {}
}
