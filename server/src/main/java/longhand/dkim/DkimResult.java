package longhand.dkim;

/// What became of one signature, in the words of RFC 8601 §2.7.1. Everything but [Pass] leaves the
/// message as if it had no such signature (RFC 6376 §6.1).
public sealed interface DkimResult {

  /// One plain sentence for people. Of what the peer wrote it repeats only names of DNS and of
  /// tags.
  String sentence();

  /// The word of RFC 8601 for it.
  default String word() {
    return switch (this) {
      case Pass _ -> "pass";
      case Fail _ -> "fail";
      case Neutral _ -> "neutral";
      case PermError _ -> "permerror";
      case TempError _ -> "temperror";
      case Policy _ -> "policy";
    };
  }

  /// The domain has signed these fields and this body.
  ///
  /// @param bodyOctetsUnsigned octets at the end of the canonical body that `l=` leaves out:
  ///   anybody may have added them
  /// @param testing the key is published for tests only (`t=y`): not to be trusted more than no
  ///   signature (RFC 6376 §3.6.1)
  record Pass(DkimClaim claim, long bodyOctetsUnsigned, boolean testing, String sentence)
      implements DkimResult {}

  /// The message or the signature is not what was signed.
  record Fail(DkimClaim claim, String sentence) implements DkimResult {}

  /// The signature cannot be read, or is of a kind that is not known.
  record Neutral(String sentence) implements DkimResult {}

  /// There is no key for it, or it may not sign this.
  record PermError(DkimClaim claim, String sentence) implements DkimResult {}

  /// The key could not be looked up now.
  record TempError(DkimClaim claim, String sentence) implements DkimResult {}

  /// We do not accept signatures like this one: SHA-1, a weak key, expired.
  record Policy(DkimClaim claim, String sentence) implements DkimResult {}
}
