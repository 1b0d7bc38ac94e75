package longhand.imap;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import longhand.auth.AuthSettings;
import longhand.auth.Authenticator;
import longhand.directory.AccountRecord;
import longhand.directory.Directory;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.ReversePath;
import longhand.store.Account;
import longhand.store.Append;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Marks;
import longhand.store.Store;
import longhand.store.StoreSettings;
import longhand.wire.Limits;
import longhand.wire.Listener;
import longhand.wire.TlsContext;

/// An IMAP server in a folder: domain `example.org` with accounts `ana` and `ben` (password
/// `secret`) and `tiny` (a quota of 2,000 octets), on a free port of 127.0.0.1.
final class ImapTestServer implements AutoCloseable {

  static final Domain DOMAIN = new Domain("example.org");
  static final TlsContext TLS = certificate();

  final Store store;
  final Directory directory;
  final Authenticator authenticator;
  final Limits limits;
  private final List<Listener> listeners = new ArrayList<>();

  ImapTestServer(Path data, Limits limits) throws IOException {
    this.limits = limits;
    store =
        Store.open(
            data,
            new FileSystemDisk(),
            InstantSource.system(),
            new Random(7),
            StoreSettings.DEFAULT);
    directory = Directory.open(data, List.of(DOMAIN));
    authenticator = new Authenticator(directory, new byte[32], AuthSettings.forTests());
    if (directory.size() == 0) {
      var verifiers = authenticator.verifiers("secret");
      for (var name : List.of("ana", "ben", "tiny")) {
        directory.add(
            new AccountRecord(
                new Address(name, DOMAIN),
                verifiers.password(),
                verifiers.scram(),
                "",
                name.equals("tiny") ? 2000 : 0,
                true));
      }
    }
  }

  ImapTestServer(Path data) throws IOException {
    this(data, Limits.DEFAULT.with("loopbackUnbounded", true));
  }

  private static TlsContext certificate() {
    try {
      return TlsContext.selfSigned("mx.example.org");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A port where passwords may cross in clear, or not, or TLS comes first.
  int port(boolean plaintextLogin, boolean implicitTls) throws IOException {
    var listener =
        ImapServer.open(
            "imap",
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new ImapServices(
                store, directory, authenticator, Optional.of(TLS), limits, plaintextLogin),
            implicitTls);
    listeners.add(listener);
    return listener.address().getPort();
  }

  Account account(String name) {
    return store.account(new Address(name, DOMAIN));
  }

  /// Delivers a message into INBOX.
  void deliver(String name, String message) throws IOException, MailboxException {
    try (var letter = store.letter()) {
      var octets = message.getBytes(StandardCharsets.ISO_8859_1);
      letter.write(octets, 0, octets.length);
      letter.finish();
      store.append(
          List.of(
              new Append(
                  account(name),
                  Mailbox.INBOX,
                  ReversePath.of(new Address("alice", new Domain("example.net"))),
                  Instant.parse("2026-11-23T04:00:00Z"),
                  Marks.NONE,
                  new byte[0],
                  letter)));
    }
  }

  /// Ends the sessions in good order.
  void stop() throws InterruptedException {
    for (var listener : listeners) {
      listener.close(java.time.Duration.ofSeconds(5));
    }
  }

  /// Delivers many messages at once.
  void fill(String name, int count, int first) throws IOException, MailboxException {
    var appends = new ArrayList<Append>();
    for (int i = first; i < first + count; i++) {
      var letter = store.letter();
      var octets =
          ("From: Sender "
                  + i
                  + " <sender"
                  + i
                  + "@example.net>\r\nTo: ana@example.org\r\nSubject: message "
                  + i
                  + "\r\nDate: Mon, 23 Nov 2026 04:00:00 +0000\r\nMessage-ID: <"
                  + i
                  + "@example.net>\r\n\r\n"
                  + "A line of text that is somewhat long.\r\n".repeat(20))
              .getBytes(StandardCharsets.US_ASCII);
      letter.write(octets, 0, octets.length);
      letter.finish();
      appends.add(
          new Append(
              account(name),
              Mailbox.INBOX,
              ReversePath.NULL,
              Instant.parse("2026-11-23T04:00:00Z"),
              Marks.NONE,
              new byte[0],
              letter));
    }
    store.append(appends);
  }

  @Override
  public void close() throws IOException {
    for (var listener : listeners) {
      listener.close();
    }
    directory.close();
    store.close();
  }

  /// Runs until killed, for trying by hand: folder, then port of choice is printed.
  public static void main(String[] arguments) throws Exception {
    var server =
        new ImapTestServer(
            Path.of(arguments[0]),
            Limits.DEFAULT
                .with("loopbackUnbounded", true)
                .with("imapSessionsPerAccountMax", 20_000)
                .with("imapConnectionsMax", 20_000));
    for (int i = 0, n = Integer.parseInt(arguments[1]); i < n; i += 1000) {
      server.fill("ana", 1000, i);
    }
    System.out.println("PORTS " + server.port(true, false) + " " + server.port(true, true));
    Thread.sleep(Long.MAX_VALUE);
  }

  /// A client that says lines and hears lines, literals included.
  static final class Client implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private int tags;

    Client(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setSoTimeout(60_000);
      socket.setTcpNoDelay(true);
      in = new BufferedInputStream(socket.getInputStream());
    }

    /// Greeted and logged in.
    static Client of(int port, String name) throws IOException {
      var client = new Client(port);
      client.line();
      client.command("LOGIN " + name + "@example.org secret");
      return client;
    }

    void send(String octets) throws IOException {
      socket.getOutputStream().write(octets.getBytes(StandardCharsets.ISO_8859_1));
    }

    /// The next line with the literals in it, octets as characters; null at the end.
    @org.jspecify.annotations.Nullable
    String line() throws IOException {
      var all = new StringBuilder();
      while (true) {
        var line = new ByteArrayOutputStream();
        int octet;
        while ((octet = in.read()) >= 0 && octet != '\n') {
          line.write(octet);
        }
        if (octet < 0 && line.size() == 0) {
          return all.isEmpty() ? null : all.toString();
        }
        var text = line.toString(StandardCharsets.ISO_8859_1);
        text = text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        all.append(text);
        int open = text.lastIndexOf('{');
        if (!text.endsWith("}") || open < 0) {
          return all.toString();
        }
        int octets = Integer.parseInt(text.substring(open + 1, text.length() - 1));
        all.append("\r\n").append(new String(in.readNBytes(octets), StandardCharsets.ISO_8859_1));
      }
    }

    /// Sends a command and hears all its responses; the last is the tagged one, without its tag.
    List<String> command(String command) throws IOException {
      var tag = "t" + ++tags;
      send(tag + " " + command + "\r\n");
      return until(tag);
    }

    List<String> until(String tag) throws IOException {
      var lines = new ArrayList<String>();
      while (true) {
        var line = line();
        if (line == null) {
          lines.add("<closed>");
          return lines;
        }
        if (line.startsWith(tag + " ")) {
          lines.add(line.substring(tag.length() + 1));
          return lines;
        }
        lines.add(line);
      }
    }

    /// Appends a message by a non-synchronizing literal.
    List<String> append(String mailbox, String message) throws IOException {
      return command("APPEND " + mailbox + " {" + message.length() + "+}\r\n" + message);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
