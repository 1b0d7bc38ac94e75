package longhand.zone;

import java.util.List;
import java.util.Locale;
import longhand.dns.DnsName;

/// What one look into DNS found.
///
/// @param topic `MX`, `SPF` and so on
/// @param name what was asked for
/// @param found what there is, in a sentence without its full stop
/// @param why what follows from it, in sentences; empty when all is right
/// @param paste lines of a zone file that mend it; comments begin with `;`
public record Finding(
    String topic, DnsName name, Verdict verdict, String found, String why, List<String> paste) {

  /// How it is.
  public enum Verdict {
    /// As it should be.
    RIGHT,
    /// There, but not as it should be.
    WRONG,
    /// Needed, and not there.
    MISSING,
    /// Mail goes without it; better with it.
    SUGGESTED,
    /// Nobody could tell just now.
    UNKNOWN;

    /// In lower case.
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Finding {
    paste = List.copyOf(paste);
  }

  /// Whether something is to be mended.
  public boolean toMend() {
    return verdict == Verdict.WRONG || verdict == Verdict.MISSING;
  }
}
