package longhand.directory;

import longhand.mail.Domain;

/// What a domain is to this server.
public sealed interface Hosting {

  /// Its mail is delivered here.
  ///
  /// @param home the domain whose file has its addresses: itself, or the one it is another name of
  record Local(Domain home) implements Hosting {}

  /// Its mail is taken, and relayed to the servers that come before us in its MX records.
  record Backup() implements Hosting {}

  /// It is of others.
  record Foreign() implements Hosting {}
}
