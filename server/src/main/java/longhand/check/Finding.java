package longhand.check;

/// Something that is not as it should be.
///
/// @param where the file, relative to the data folder
/// @param offset in the file, or -1 where none fits
/// @param text what was found and what was expected
public record Finding(Severity severity, String where, long offset, String text) {

  /// How bad it is.
  public enum Severity {
    /// In order, but a person may want to know: another program changed something that will be
    /// taken in.
    NOTE,
    /// Octets are not what was written.
    DAMAGE
  }

  @Override
  public String toString() {
    return (severity == Severity.DAMAGE ? "damage: " : "note: ")
        + where
        + (offset < 0 ? "" : " at octet " + offset)
        + ": "
        + text;
  }
}
