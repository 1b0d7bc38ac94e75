package longhand.server;

import java.nio.file.Path;

/// The configuration that `longhand setup` writes; `packaging/longhand.toml` is it, for
/// example.com.
final class ConfigTemplate {

  private ConfigTemplate() {}

  /// @param file where it will be
  static String text(Path file, String hostname, Path data, String domain) {
    return """
      # Longhand's configuration. Every key: /usr/share/doc/longhand/configuration.md
      # After a change: longhand config check %1$s; systemctl restart longhand

      hostname = "%2$s"
      data = "%3$s"

      [tls]
      # PEM files, readable by the user longhand; read again when they change.
      # Without them a self-signed certificate is made.
      # certificate = "/etc/longhand/fullchain.pem"
      # key = "/etc/longhand/privkey.pem"

      [[domain]]
      name = "%4$s"

      [[listener]]                 # mail from other servers
      protocol = "smtp"
      address = "[::]:25"

      [[listener]]                 # mail from our own users
      protocol = "submission"
      address = "[::]:465"
      tls = "implicit"

      [[listener]]
      protocol = "submission"
      address = "[::]:587"

      [[listener]]                 # reading mail
      protocol = "imap"
      address = "[::]:993"
      tls = "implicit"

      [[listener]]
      protocol = "pop3"
      address = "[::]:995"
      tls = "implicit"

      # [metrics]
      # address = "127.0.0.1:9464"
      """
        .formatted(file, hostname, quoted(data), domain);
  }

  /// A path within quotes of TOML.
  private static String quoted(Path path) {
    return path.toString().replace("\\", "\\\\").replace("\"", "\\\"");
  }
}
