package longhand.directory;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import longhand.mail.Address;
import longhand.mail.Domain;

/// Which addresses an alias is of: one, or with a wildcard all whose local part begins and ends as
/// it says.
///
/// @param local the local part in lower case; with a wildcard it holds exactly one `*`, which
///   stands for any number of characters, and no `+`: what follows a plus is taken off before
///   wildcards are tried
/// @param wildcard whether its `*` is one
/// @param domain a local domain
public record AliasName(String local, boolean wildcard, Domain domain) {

  public AliasName {
    if (!isLocalPart(local)) {
      throw new IllegalArgumentException(
          "a local part is of 1 to 64 octets, none of them control characters");
    }
    if (!local.equals(local.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException("a local part that is not in lower case");
    }
    if (wildcard && (local.indexOf('*') != local.lastIndexOf('*') || local.indexOf('*') < 0)) {
      throw new IllegalArgumentException("a wildcard has one *");
    }
    if (wildcard && local.indexOf('+') >= 0) {
      throw new IllegalArgumentException(
          "a wildcard has no +: what follows a + is taken off before wildcards are tried");
    }
  }

  private static boolean isLocalPart(String text) {
    return !text.isEmpty()
        && text.getBytes(StandardCharsets.UTF_8).length <= Address.LOCAL_PART_OCTETS_MAX
        && text.chars().noneMatch(Character::isISOControl);
  }

  /// The name of one address.
  public static AliasName of(Address address) {
    var canonical = address.canonical();
    return new AliasName(canonical.localPart(), false, canonical.domain());
  }

  /// The name a person writes: a `*` in it is the wildcard.
  ///
  /// @throws IllegalArgumentException when it cannot be one
  public static AliasName written(Address address) {
    var canonical = address.canonical();
    return new AliasName(
        canonical.localPart(), canonical.localPart().indexOf('*') >= 0, canonical.domain());
  }

  /// Its first word in the file.
  String key() {
    if (!wildcard) {
      return AccountLine.key(local);
    }
    int star = local.indexOf('*');
    return AccountLine.key(local.substring(0, star))
        + "*"
        + AccountLine.key(local.substring(star + 1));
  }

  @Override
  public String toString() {
    return (wildcard || local.indexOf('*') < 0 ? local : key()) + "@" + domain;
  }
}
