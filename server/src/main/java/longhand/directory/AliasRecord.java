package longhand.directory;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import longhand.mail.Address;
import longhand.mail.Domain;

/// One alias as the directory knows it: mail for its name goes to its targets. One of several
/// targets is a group, one of none delivers nothing.
///
/// @param name which addresses it is of
/// @param targets addresses of this server or of others, none twice; local parts of others are kept
///   in their letter case
/// @param senders who may send as it
/// @param confidential whether senders learn nothing of the targets: no report about them goes back
///   (RFC 3461 §5.2.7.4)
/// @param rewriting whether the reverse-path is rewritten when mail goes on to other servers, so
///   that SPF there sees a domain of ours
public record AliasRecord(
    AliasName name, List<Address> targets, Senders senders, boolean confidential, boolean rewriting)
    implements DirectoryEntry {

  public AliasRecord {
    targets = List.copyOf(targets);
    if (new HashSet<>(targets).size() < targets.size()) {
      throw new IllegalArgumentException("a target twice");
    }
  }

  /// An alias whose members may send as it and whose reverse-paths are rewritten.
  public static AliasRecord of(AliasName name, List<Address> targets) {
    return new AliasRecord(name, targets, new Senders.Members(), false, true);
  }

  @Override
  public String toLine() {
    return AliasLine.format(this);
  }

  /// Reads a line of a domain's file; `IllegalArgumentException` says what is wrong.
  public static AliasRecord ofLine(String line, Domain domain) {
    try {
      return AliasLine.parse(line.getBytes(StandardCharsets.UTF_8), domain);
    } catch (AccountLine.BadLineException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
