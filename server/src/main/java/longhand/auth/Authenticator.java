package longhand.auth;

import java.net.InetAddress;
import java.util.Optional;
import longhand.mail.Address;

/// Verifies credentials against the directory, slowly enough and in even time.
public interface Authenticator {

  /// What became of a log-in by name and password.
  sealed interface Verdict {
    /// It is the owner of this account.
    record Granted(Address account) implements Verdict {}

    /// It is not, or nobody may know.
    record Denied(Sasl.Reason reason) implements Verdict {}
  }

  /// Checks a password. The name is an address, or a local part when there is one domain only. A
  /// failure takes as long as the limits say and looks the same for unknown names.
  Verdict password(String name, String password, InetAddress peer);

  /// The SCRAM verifier of a name; for an unknown one a stable made-up one that nothing matches.
  ScramVerifier scram(String name);

  /// The account of a name once SCRAM has succeeded; empty when unknown or disabled.
  Optional<Address> resolve(String name);

  /// Counts a failure of SCRAM and waits as `password` does.
  void failed(String name, InetAddress peer);
}
