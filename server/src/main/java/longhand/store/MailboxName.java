package longhand.store;

/// What the name of a mailbox may be: levels divided by `/`, each of 1 to 255 octets in UTF-8,
/// without control characters (RFC 9051 §5.1).
final class MailboxName {

  private static final int LEVEL_OCTETS_MAX = 255;
  private static final int LEVELS_MAX = 16;

  private MailboxName() {}

  /// Throws `MailboxException` when no mailbox can have that name.
  static void check(String name) throws MailboxException {
    int levels = 1;
    int octets = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isISOControl(c) || (Character.isSurrogate(c) && !paired(name, i))) {
        throw new MailboxException(
            MailboxException.Reason.CANNOT, "A mailbox name holds no control characters.");
      }
      octets += c < 0x80 ? 1 : c < 0x800 ? 2 : Character.isSurrogate(c) ? 2 : 3;
      if (c == '/') {
        levels++;
        if (i == 0 || i == name.length() - 1 || name.charAt(i - 1) == '/') {
          throw new MailboxException(
              MailboxException.Reason.CANNOT, "A level of a mailbox name is not empty.");
        }
        octets = 0;
      }
      if (octets > LEVEL_OCTETS_MAX) {
        throw new MailboxException(
            MailboxException.Reason.LIMIT,
            "A level of a mailbox name has at most " + LEVEL_OCTETS_MAX + " octets.");
      }
    }
    if (name.isEmpty() || levels > LEVELS_MAX) {
      throw new MailboxException(
          MailboxException.Reason.CANNOT, "A mailbox name has 1 to " + LEVELS_MAX + " levels.");
    }
  }

  private static boolean paired(String name, int at) {
    return Character.isHighSurrogate(name.charAt(at))
        ? at + 1 < name.length() && Character.isLowSurrogate(name.charAt(at + 1))
        : at > 0 && Character.isHighSurrogate(name.charAt(at - 1));
  }
}
