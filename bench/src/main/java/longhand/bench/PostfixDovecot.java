package longhand.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Postfix, which hands over to Dovecot by LMTP through a socket of the file system. Both are tuned
/// for speed as their manuals say: processes kept ready and used again, concurrency raised,
/// look-ups and bounds off. What makes mail durable stays as Debian has it.
final class PostfixDovecot implements MailServer {

  /// How Dovecot keeps mail.
  enum Format {
    MBOX("mbox:~/mail:INBOX=~/inbox"),
    MAILDIR("maildir:~/Maildir"),
    MDBOX("mdbox:~/mdbox");

    final String location;

    Format(String location) {
      this.location = location;
    }
  }

  private static final String POSTFIX_DAEMONS = "/usr/lib/postfix/sbin";

  /// Mail is owned by the user `nobody`.
  private static final int OWNER = 65534;

  /// Or by users from this one on, whom nobody else is.
  private static final int OWNERS = 2_000_000;

  private final Path folder;
  private final String name;
  private final int[] ports;
  private @Nullable Process postfix;
  private @Nullable Process dovecot;

  private PostfixDovecot(Path folder, String name, int[] ports) {
    this.folder = folder;
    this.name = name;
    this.ports = ports;
  }

  /// Whether both are installed, and this process may start them.
  static boolean available() {
    return Files.isExecutable(Path.of(POSTFIX_DAEMONS, "master"))
        && Files.isExecutable(Path.of("/usr/sbin/dovecot"))
        && Files.isExecutable(Path.of("/usr/lib/dovecot/lmtp"))
        && Files.isExecutable(Path.of("/usr/lib/dovecot/pop3"))
        && Files.isExecutable(Path.of("/usr/lib/dovecot/imap"))
        && "root".equals(System.getProperty("user.name"));
  }

  /// Servers with empty accounts, stopped.
  ///
  /// @param folder is made
  /// @param hibernate whether idle IMAP connections are handed to one process that waits for all
  static PostfixDovecot prepare(Format format, boolean hibernate, Path folder)
      throws IOException, InterruptedException {
    var ports = Processes.freePorts(4);
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    var name = format.name().toLowerCase(Locale.ROOT) + (hibernate ? ", hibernating" : "");
    var server = new PostfixDovecot(folder, name, ports);
    server.writeDovecot(format, hibernate);
    server.writePostfix();
    return server;
  }

  private void writeDovecot(Format format, boolean hibernate)
      throws IOException, InterruptedException {
    var mail = Files.createDirectories(folder.resolve("mail"));
    Processes.run(List.of("chown", OWNER + ":" + OWNER, mail.toString()));
    if (hibernate) {
      // Owners of their own: a process that hibernates needs inotify, which Linux bounds per owner.
      Processes.run(List.of("chmod", "1777", mail.toString()));
    }
    var users = new StringBuilder();
    for (int i = 0; i < ACCOUNTS; i++) {
      int owner = hibernate ? OWNERS + i : OWNER;
      users.append(
          "%s:{PLAIN}%s:%d:%d::%s/user%d%n"
              .formatted(MailServer.address(i), PASSWORD, owner, owner, mail, i));
    }
    Files.writeString(folder.resolve("users"), users);
    var userdb =
        hibernate
            ? "driver = passwd-file\n  args = username_format=%u " + folder + "/users"
            : "driver = static\n  args = uid=%d gid=%d home=%s/%%n allow_all_users=yes"
                .formatted(OWNER, OWNER, mail);
    Files.writeString(
        folder.resolve("dovecot.conf"),
        """
        base_dir = %1$s/run
        state_dir = %1$s/state
        log_path = %1$s/dovecot.log
        protocols = imap pop3 lmtp
        listen = 127.0.0.1
        ssl = no
        disable_plaintext_auth = no
        auth_mechanisms = plain
        auth_cache_size = 10M
        first_valid_uid = 1
        last_valid_uid = 0
        first_valid_gid = 1
        mail_location = %2$s
        mail_max_userip_connections = 100000
        imap_hibernate_timeout = %5$s
        postmaster_address = postmaster@bench.test
        hostname = mx.bench.test
        default_process_limit = 400
        default_client_limit = 20000
        default_vsz_limit = 4G
        passdb {
          driver = passwd-file
          args = scheme=PLAIN username_format=%%u %1$s/users
        }
        userdb {
          %6$s
        }
        namespace inbox {
          inbox = yes
        }
        service imap-login {
          inet_listener imap {
            port = %3$d
          }
          inet_listener imaps {
            port = 0
          }
          service_count = 0
          process_min_avail = 2
          process_limit = 2
        }
        service pop3-login {
          inet_listener pop3 {
            port = %4$d
          }
          inet_listener pop3s {
            port = 0
          }
          service_count = 0
          process_min_avail = 2
          process_limit = 2
        }
        service imap {
          process_limit = 8000
          process_min_avail = 10
          service_count = %7$d
          unix_listener imap-master {
            user = dovecot
          }
          extra_groups = dovecot
        }
        service imap-hibernate {
          unix_listener imap-hibernate {
            mode = 0666
          }
        }
        service pop3 {
          process_limit = 1000
          process_min_avail = 10
          service_count = 256
        }
        service lmtp {
          unix_listener %1$s/lmtp {
            mode = 0666
          }
          process_min_avail = 10
        }
        """
            .formatted(
                folder,
                format.location,
                imapPort(),
                pop3Port(),
                hibernate ? "2s" : "0",
                userdb,
                hibernate ? 1 : 256));
  }

  private void writePostfix() throws IOException, InterruptedException {
    var config = Files.createDirectories(folder.resolve("postfix"));
    var data = Files.createDirectories(folder.resolve("postfix-data"));
    Files.createDirectories(folder.resolve("spool"));
    Processes.run(List.of("chown", "postfix", data.toString()));
    Files.writeString(
        config.resolve("main.cf"),
        """
        compatibility_level = 3.6
        queue_directory = %1$s/spool
        data_directory = %1$s/postfix-data
        command_directory = /usr/sbin
        daemon_directory = %2$s
        mail_owner = postfix
        setgid_group = postdrop
        multi_instance_enable = no
        syslog_name = longhand-bench
        myhostname = mx.bench.test
        mydestination =
        mynetworks = 127.0.0.0/8
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        alias_maps =
        local_recipient_maps =
        virtual_mailbox_domains = bench.test
        virtual_mailbox_maps = static:ok
        virtual_transport = lmtp:unix:%1$s/lmtp
        relay_domains = relay.test
        relay_recipient_maps =
        transport_maps = inline:{{relay.test = smtp:[127.0.0.1]:%3$d}}
        smtp_tls_security_level = none
        disable_dns_lookups = yes
        smtp_host_lookup = native
        smtpd_peername_lookup = no
        smtpd_recipient_restrictions = permit_mynetworks, reject
        smtpd_tls_security_level = none
        smtpd_client_connection_count_limit = 0
        smtpd_client_connection_rate_limit = 0
        default_process_limit = 200
        default_destination_concurrency_limit = 50
        initial_destination_concurrency = 50
        in_flow_delay = 0
        """
            .formatted(folder, POSTFIX_DAEMONS, sinkPort()));
    Files.writeString(
        config.resolve("master.cf"),
        """
        127.0.0.1:%d inet n - n - - smtpd
        pickup unix n - n 60 1 pickup
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        verify unix - - n - 1 verify
        flush unix n - n 1000? 0 flush
        proxymap unix - - n - - proxymap
        proxywrite unix - - n - 1 proxymap
        smtp unix - - n - - smtp
        relay unix - - n - - smtp
        showq unix n - n - - showq
        error unix - - n - - error
        retry unix - - n - - error
        discard unix - - n - - discard
        local unix - n n - - local
        virtual unix - n n - - virtual
        lmtp unix - - n - - lmtp
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        """
            .formatted(smtpPort()));
    Processes.run(List.of("/usr/sbin/postfix", "-c", config.toString(), "check"));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double start() throws IOException, InterruptedException {
    var log = folder.resolve("log");
    long began = System.nanoTime();
    var reading =
        Processes.start(log, List.of("/usr/sbin/dovecot", "-F", "-c", folder + "/dovecot.conf"));
    dovecot = reading;
    // Its own process group: at its end, Postfix's master ends all of its group.
    var taking =
        Processes.start(
            log, List.of("setsid", POSTFIX_DAEMONS + "/master", "-c", folder + "/postfix", "-d"));
    postfix = taking;
    Processes.awaitGreeting(taking, smtpPort(), log);
    double millis = (System.nanoTime() - began) / 1e6;
    Processes.awaitGreeting(reading, imapPort(), folder.resolve("dovecot.log"));
    Processes.awaitGreeting(reading, pop3Port(), folder.resolve("dovecot.log"));
    return millis;
  }

  @Override
  public void stop() throws IOException, InterruptedException {
    var taking = postfix;
    postfix = null;
    if (taking != null) {
      Processes.end(taking);
    }
    var reading = dovecot;
    dovecot = null;
    if (reading != null) {
      Processes.end(reading);
    }
  }

  @Override
  public void dropIndexes() throws IOException {
    var found = new ArrayList<Path>();
    try (var files = Files.walk(folder.resolve("mail"))) {
      files
          .filter(
              file -> {
                var last = file.getFileName().toString();
                return last.startsWith("dovecot.") || last.startsWith("dovecot-");
              })
          .forEach(found::add);
    }
    for (var file : found) {
      if (Files.isRegularFile(file)) {
        Files.delete(file);
      }
    }
  }

  @Override
  public int smtpPort() {
    return ports[0];
  }

  @Override
  public int imapPort() {
    return ports[1];
  }

  @Override
  public int pop3Port() {
    return ports[2];
  }

  @Override
  public int sinkPort() {
    return ports[3];
  }

  @Override
  public Set<Long> roots() {
    var roots = new HashSet<Long>();
    var taking = postfix;
    if (taking != null) {
      roots.add(taking.pid());
    }
    var reading = dovecot;
    if (reading != null) {
      roots.add(reading.pid());
    }
    return roots;
  }

  @Override
  public Path folder() {
    return folder;
  }

  @Override
  public void close() throws IOException {
    try {
      stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Processes.remove(folder);
  }
}
