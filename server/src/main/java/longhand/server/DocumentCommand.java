package longhand.server;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import longhand.check.Checker;
import longhand.disk.Disk;
import longhand.disk.FileSystemDisk;
import longhand.store.Store;
import longhand.transfer.EmlSink;
import longhand.transfer.MaildirSink;
import longhand.transfer.MboxFolderSink;
import longhand.transfer.MboxSink;
import longhand.transfer.MessageFacts;
import longhand.transfer.MessageSink;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The tools on documents: `check`, `rebuild`, `cat`, `export`, `import`. The running server does
/// the work when there is one, asked over its control socket; else the command opens the data
/// folder itself, and no server can start meanwhile.
abstract class DocumentCommand implements Callable<Integer> {

  static final JsonMapper JSON = new JsonMapper();

  @Mixin private ConfigOption configOption;

  @SuppressWarnings("NullAway.Init") // picocli fills the field
  DocumentCommand() {}

  @Override
  public Integer call() throws Exception {
    var config = configOption.read();
    if (!Files.isDirectory(config.data())) {
      throw new CommandException(
          ExitCode.NO_INPUT, "there is no data folder " + config.data() + " yet");
    }
    return run(config);
  }

  abstract int run(Config config) throws IOException, CommandException;

  /// Has it done, by the server or here; the exit code.
  int ask(Config config, ObjectNode request, Consumer<Told> told)
      throws IOException, CommandException {
    var answer = RunningServer.ask(config, request, told);
    return answer.isPresent()
        ? answer.get().path("exit").asInt(ExitCode.SOFTWARE)
        : here(config, request, told);
  }

  /// Does it in this process, no server being there.
  int here(Config config, ObjectNode request, Consumer<Told> told)
      throws IOException, CommandException {
    try (var store = Server.openStore(config);
        var directory = Server.directory(config)) {
      return new DocumentWork(config.data(), store, directory).run(request, told);
    }
  }

  /// A request for a command, with its address when there is one.
  static ObjectNode request(String command, String address) {
    var request = JSON.createObjectNode();
    request.put("command", command);
    request.put("address", address);
    return request;
  }

  /// Those that are about one account or all.
  abstract static class OnDocuments extends DocumentCommand {

    private final String command;
    private final String verb;

    @Parameters(paramLabel = "ADDRESS", arity = "0..1", description = "Only that account.")
    private @Nullable String address;

    /// @param verb as `checked`
    OnDocuments(String command, String verb) {
      this.command = command;
      this.verb = verb;
    }

    @Override
    int run(Config config) throws IOException, CommandException {
      try (var screen = new Screen(verb)) {
        return ask(config, request(command, Objects.requireNonNullElse(address, "")), screen);
      }
    }
  }

  /// `check [ADDRESS]`
  @Command(
      name = "check",
      description = {
        "Checks documents, index and journal against each other and says what is not in order.",
        "Ends with 0 when all is, with 65 when there is damage. Changes nothing."
      },
      mixinStandardHelpOptions = true)
  static final class Check extends OnDocuments {

    /// Made by picocli.
    Check() {
      super("check", "checked");
    }

    /// Without a server: what the journal has for the documents is looked at as well, nothing is
    /// recovered.
    @Override
    int here(Config config, ObjectNode request, Consumer<Told> told)
        throws IOException, CommandException {
      var wanted = request.path("address").asString("");
      var disk = new FileSystemDisk();
      try (var file = disk.open(config.data().resolve("longhand.lock"), Disk.Mode.CREATE);
          var lock = file.tryLock()) {
        if (lock == null) {
          throw new CommandException(
              ExitCode.UNAVAILABLE,
              "another process has " + config.data() + " open, but its control socket is silent");
        }
        String name = null;
        if (!wanted.isEmpty()) {
          try (var directory = Server.directory(config)) {
            var address = AccountCommand.addressOf(directory, wanted).canonical();
            name = Store.documentName(address);
            if (!disk.exists(config.data().resolve("mail").resolve(name))) {
              throw new CommandException(ExitCode.NO_INPUT, address + " has no document " + name);
            }
          }
        }
        long began = System.nanoTime();
        var findings = new DocumentWork.Findings(told);
        var extent =
            new Checker(
                    disk,
                    config.data(),
                    findings,
                    done -> told.accept(new Told.Progress(done.octets(), 0, done.messages())))
                .check(name);
        return findings.end(extent.documents(), extent.messages(), extent.octets(), began);
      }
    }
  }

  /// `rebuild [ADDRESS]`
  @Command(
      name = "rebuild",
      description = {
        "Makes everything but the documents anew: the index, and an account entry that is lost or",
        "damaged. Messages, ids, UIDs, flags and mailboxes stay. IMAP sessions of the account end."
      },
      mixinStandardHelpOptions = true)
  static final class Rebuild extends OnDocuments {

    /// Made by picocli.
    Rebuild() {
      super("rebuild", "rebuilt");
    }
  }

  /// `cat ADDRESS[/MAILBOX][/UID]`
  @Command(
      name = "cat",
      description = {
        "Shows what there is: the mailboxes of an account, the messages of a mailbox, or one message,",
        "octet for octet."
      },
      mixinStandardHelpOptions = true)
  static final class Cat extends DocumentCommand {

    @Parameters(
        paramLabel = "ADDRESS[/MAILBOX][/UID]",
        description =
            "As jbob@example.com, jbob@example.com/INBOX, jbob@example.com/Archive/2026/17. A last"
                + " part of digits is a UID; end with / when it is a mailbox.")
    private String what;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the field
    Cat() {}

    @Override
    int run(Config config) throws IOException, CommandException {
      int at = what.lastIndexOf('@');
      int slash = what.indexOf('/', Math.max(at, 0));
      var request = request("read", slash < 0 ? what : what.substring(0, slash));
      var rest = slash < 0 ? "" : what.substring(slash + 1);
      long uid = 0;
      if (rest.endsWith("/")) {
        rest = rest.substring(0, rest.length() - 1);
      } else {
        int last = rest.lastIndexOf('/');
        var digits = rest.substring(last + 1);
        if (!digits.isEmpty()
            && digits.length() <= 10
            && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
          uid = Long.parseLong(digits);
          rest = last < 0 ? "INBOX" : rest.substring(0, last);
        }
      }
      request.put("mailbox", rest);
      request.put("uid", uid);
      request.put("content", uid > 0);
      var out = new BufferedOutputStream(System.out, 1 << 16);
      boolean table = uid == 0 && !rest.isEmpty();
      if (table) {
        out.write(bytes(row("UID", "saved", "flags", "from", "subject")));
      }
      int code =
          ask(
              config,
              request,
              told -> {
                try {
                  switch (told) {
                    case Told.Line(var text) -> out.write(bytes(text + System.lineSeparator()));
                    case Told.Progress _ -> {}
                    case Told.Octets(var octets) -> out.write(octets);
                    case Told.Message(var facts) -> {
                      if (table) {
                        out.write(bytes(row(facts)));
                      }
                    }
                  }
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      out.flush();
      return code;
    }

    private static byte[] bytes(String text) {
      return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private static String row(MessageFacts facts) {
      var flags = new ArrayList<String>();
      facts.marks().flags().forEach(flag -> flags.add(flag.imapName()));
      flags.addAll(facts.marks().keywords());
      return row(
          Long.toString(facts.uid()),
          DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT)
              .format(facts.saved().atZone(ZoneId.systemDefault())),
          String.join(" ", flags),
          facts.from(),
          facts.subject());
    }

    private static String row(String uid, String saved, String flags, String from, String subject) {
      return String.format(
              Locale.ROOT,
              "%10s  %-16s  %-20s  %-30s  %s",
              uid,
              saved,
              Printable.of(flags, 40),
              Printable.of(from, 30),
              Printable.of(subject, 120))
          + System.lineSeparator();
    }
  }

  /// How exported mail looks.
  enum Format {
    MBOX,
    MAILDIR,
    EML
  }

  /// `export ADDRESS`
  @Command(
      name = "export",
      description = "Writes an account's mail in a form that other programs take.",
      mixinStandardHelpOptions = true)
  static final class Export extends DocumentCommand {

    @Parameters(paramLabel = "ADDRESS", description = "The account.")
    private String address;

    @Option(
        names = "--format",
        paramLabel = "FORMAT",
        description = "mbox, maildir or eml (${DEFAULT-VALUE}).",
        defaultValue = "mbox")
    private Format format;

    @Option(names = "--mailbox", paramLabel = "NAME", description = "Only that mailbox.")
    private @Nullable String mailbox;

    @Option(
        names = "--output",
        paramLabel = "PATH",
        description = {
          "Where to: for mbox with --mailbox a file, else a folder, with one mbox file a mailbox;",
          "- is standard output, for mbox (${DEFAULT-VALUE})."
        },
        defaultValue = "-")
    private String output;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    Export() {}

    @Override
    int run(Config config) throws IOException, CommandException {
      var request = request("read", address);
      request.put("mailbox", Objects.requireNonNullElse(mailbox, ""));
      request.put("content", true);
      try (var screen = Screen.besideOutput("exported");
          var sink = sink();
          var feed = new Feed(sink, screen)) {
        int code = ask(config, request, feed);
        feed.end();
        return code;
      }
    }

    private MessageSink sink() throws IOException, CommandException {
      if (output.equals("-")) {
        if (format != Format.MBOX) {
          throw new CommandException(
              ExitCode.USAGE, "only mbox goes to standard output; name a folder with --output");
        }
        return new MboxSink(new StandardOutput());
      }
      var path = Path.of(output);
      boolean file = format == Format.MBOX && mailbox != null;
      if (Files.exists(path) && !(Files.isDirectory(path) && !file && isEmpty(path))) {
        throw new CommandException(
            ExitCode.CANNOT_CREATE,
            path + " is there already; remove it, or name another with --output");
      }
      return switch (format) {
        case MBOX -> file ? new MboxSink(Files.newOutputStream(path)) : new MboxFolderSink(path);
        case MAILDIR -> new MaildirSink(path);
        case EML -> new EmlSink(path);
      };
    }

    private static boolean isEmpty(Path folder) throws IOException {
      try (var names = Files.newDirectoryStream(folder)) {
        return !names.iterator().hasNext();
      }
    }
  }

  /// Standard output, which stays open.
  private static final class StandardOutput extends OutputStream {

    @Override
    public void write(int octet) {
      System.out.write(octet);
    }

    @Override
    public void write(byte[] octets, int offset, int length) {
      System.out.write(octets, offset, length);
    }

    @Override
    public void close() throws IOException {
      System.out.flush();
      if (System.out.checkError()) {
        throw new IOException("standard output cannot be written");
      }
    }
  }

  /// Hands what is told of messages to a sink: the octets of one through a pipe, so that a large
  /// message takes no memory.
  private static final class Feed implements Consumer<Told>, AutoCloseable {

    private final MessageSink sink;
    private final Screen screen;
    private @Nullable PipedOutputStream pipe;
    private @Nullable MessageFacts facts;
    private byte @Nullable [] first;
    private @Nullable Thread writer;
    private volatile @Nullable Exception failure;

    Feed(MessageSink sink, Screen screen) {
      this.sink = sink;
      this.screen = screen;
    }

    @Override
    public void accept(Told told) {
      try {
        switch (told) {
          case Told.Message(var next) -> {
            end();
            facts = next;
          }
          case Told.Octets(var octets) -> octets(octets);
          case Told.Line _, Told.Progress _ -> screen.accept(told);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void octets(byte[] octets) throws IOException {
      var open = pipe;
      if (open != null) {
        write(open, octets);
        return;
      }
      var before = first;
      if (before == null) {
        first = octets; // most messages come whole in one
        return;
      }
      open = new PipedOutputStream();
      pipe = open;
      var in = new PipedInputStream(open, 1 << 17);
      var message = Objects.requireNonNull(facts);
      writer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (in) {
                      sink.message(message, in);
                    } catch (IOException | RuntimeException e) {
                      failure = e;
                    }
                  });
      write(open, before);
      write(open, octets);
    }

    private void write(PipedOutputStream to, byte[] octets) throws IOException {
      try {
        to.write(octets);
      } catch (IOException e) {
        check();
        throw e;
      }
    }

    /// The message is whole.
    void end() throws IOException {
      var message = facts;
      var open = pipe;
      var only = first;
      facts = null;
      pipe = null;
      first = null;
      if (open != null) {
        open.close();
        join();
        check();
      } else if (message != null) {
        InputStream in = new ByteArrayInputStream(only == null ? new byte[0] : only);
        sink.message(message, in);
      }
    }

    private void join() throws IOException {
      try {
        Objects.requireNonNull(writer).join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }

    private void check() throws IOException {
      var e = failure;
      if (e != null) {
        throw new IOException(e.getMessage(), e);
      }
    }

    @Override
    public void close() throws IOException {
      if (pipe != null) {
        pipe.close();
      }
    }
  }

  /// `import ADDRESS FILE...`
  @Command(
      name = "import",
      description = {
        "Takes mail of other programs in: mbox files, Maildirs, .eml files, or folders of these.",
        "Dates and flags are kept. Interrupted and run again, it goes on where it was."
      },
      mixinStandardHelpOptions = true)
  static final class Import extends DocumentCommand {

    @Parameters(index = "0", paramLabel = "ADDRESS", description = "The account.")
    private String address;

    @Parameters(
        index = "1..*",
        arity = "1..*",
        paramLabel = "FILE",
        description = "Files and folders. A running server reads them, so it must be allowed to.")
    private List<Path> files;

    @Option(
        names = "--mailbox",
        paramLabel = "NAME",
        description = {
          "Puts all into that mailbox, made when missing. Without: a folder's files go to mailboxes of",
          "their names, Maildir folders to theirs, all else to INBOX."
        })
    private @Nullable String mailbox;

    @Option(
        names = "--again",
        description = "Takes in as new what an earlier import of the same files took in.")
    private boolean again;

    /// Made by picocli.
    @SuppressWarnings("NullAway.Init") // picocli fills the fields
    Import() {}

    @Override
    int run(Config config) throws IOException, CommandException {
      var request = request("import", address);
      request.put("mailbox", Objects.requireNonNullElse(mailbox, ""));
      request.put("again", again);
      var paths = request.putArray("files");
      for (var file : files) {
        if (!Files.exists(file)) {
          throw new CommandException(ExitCode.NO_INPUT, "there is no " + file);
        }
        paths.add(file.toAbsolutePath().normalize().toString());
      }
      try (var screen = new Screen("imported")) {
        return ask(config, request, screen);
      }
    }
  }
}
