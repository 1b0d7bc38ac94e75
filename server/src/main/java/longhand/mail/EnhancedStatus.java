package longhand.mail;

/// An enhanced mail system status code, as 5.1.1 (RFC 3463 §2).
///
/// @param kind 2 success, 4 may work later, 5 will not work
/// @param subject 0 to 999: what it is about
/// @param detail 0 to 999
public record EnhancedStatus(int kind, int subject, int detail) {

  public EnhancedStatus {
    if ((kind != 2 && kind != 4 && kind != 5)
        || subject < 0
        || subject > 999
        || detail < 0
        || detail > 999) {
      throw new IllegalArgumentException("status " + kind + "." + subject + "." + detail);
    }
  }

  @Override
  public String toString() {
    return kind + "." + subject + "." + detail;
  }
}
