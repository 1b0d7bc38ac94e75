package longhand.relay;

import java.util.List;
import longhand.mtasts.StsPolicy;
import longhand.wire.TlsaRecord;

/// What a recipient's domain publishes of the TLS of a mail server, and so what a session with it
/// is judged by.
public sealed interface Published {

  /// Nothing, or nothing that was looked at.
  record Nothing() implements Published {}

  /// TLSA records that DNSSEC vouches for (RFC 7672). At least one; they may all be unusable.
  record Dane(List<TlsaRecord> records) implements Published {

    public Dane {
      records = List.copyOf(records);
      if (records.isEmpty()) {
        throw new IllegalArgumentException("no TLSA record");
      }
    }
  }

  /// A policy of MTA-STS (RFC 8461), enforced or on trial.
  record Sts(StsPolicy policy) implements Published {}
}
