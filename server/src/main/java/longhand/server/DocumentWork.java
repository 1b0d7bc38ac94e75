package longhand.server;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import longhand.check.Checker;
import longhand.check.Finding;
import longhand.directory.Directory;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.message.EncodedWords;
import longhand.message.Header;
import longhand.store.Account;
import longhand.store.Entry;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.store.Store;
import longhand.transfer.Importer;
import longhand.transfer.MessageFacts;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What the tools do to documents, in the process that has the data folder open: the server when one
/// runs, else the command itself. What it finds on its way it tells, and the answer is an exit code.
///
/// The server is asked one JSON object a line; [Told] are the lines before the answer:
///
///     {"command":"check","address":"jbob@example.com"}
///     {"exit":0}
///     {"exit":67,"error":"there is no account jbob@example.com"}
final class DocumentWork {

  private static final JsonMapper JSON = new JsonMapper();

  /// Octets of a header that are looked at for its From and Subject.
  private static final int HEADER_OCTETS = 16 * 1024;

  private final Path data;
  private final Store store;
  private final Directory directory;

  DocumentWork(Path data, Store store, Directory directory) {
    this.data = data;
    this.store = store;
    this.directory = directory;
  }

  /// The answer to a request of the control socket, `told` before it.
  String answer(JsonNode request, Consumer<Told> told) {
    var answer = JSON.createObjectNode();
    try {
      answer.put("exit", run(request, told));
    } catch (CommandException e) {
      answer.put("exit", e.exitCode()).put("error", e.getMessage());
    } catch (IOException | IllegalArgumentException e) {
      answer.put("exit", ExitCode.IO).put("error", String.valueOf(e.getMessage()));
    }
    return answer.toString();
  }

  /// Does what a request says; gives the exit code.
  int run(JsonNode request, Consumer<Told> told) throws IOException, CommandException {
    var address = request.path("address").asString("");
    return switch (request.path("command").asString("")) {
      case "check" -> check(address, told);
      case "rebuild" -> rebuild(address, told);
      case "read" ->
          read(
              address,
              request.path("mailbox").asString(""),
              request.path("uid").asLong(0),
              request.path("content").asBoolean(false),
              told);
      case "import" -> {
        var files = new ArrayList<Path>();
        request.path("files").forEach(file -> files.add(Path.of(file.asString(""))));
        yield take(
            address,
            files,
            request.path("mailbox").asString(""),
            request.path("again").asBoolean(false),
            told);
      }
      default -> throw new CommandException(ExitCode.SOFTWARE, "unknown command");
    };
  }

  /// The account of an address, which the directory or at least a document must know.
  private Address address(String text) throws IOException, CommandException {
    var address = AccountCommand.addressOf(directory, text).canonical();
    if (directory.account(address).isEmpty() && !hasDocument(address)) {
      throw new CommandException(ExitCode.NO_USER, "there is no account " + address);
    }
    return address;
  }

  private boolean hasDocument(Address address) {
    return new FileSystemDisk().exists(document(address));
  }

  private Path document(Address address) {
    return data.resolve("mail").resolve(Store.documentName(address));
  }

  /// The accounts a tool works on: the one named, or all that have a document.
  private List<Address> wanted(String text) throws IOException, CommandException {
    if (!text.isEmpty()) {
      return List.of(address(text));
    }
    return store.documents();
  }

  private int check(String text, Consumer<Told> told) throws IOException, CommandException {
    long began = System.nanoTime();
    var findings = new Findings(told);
    var disk = new FileSystemDisk();
    int documents = 0;
    long messages = 0;
    long octets = 0;
    for (var address : wanted(text)) {
      var name = Store.documentName(address);
      if (!disk.exists(data.resolve("mail").resolve(name))) {
        continue;
      }
      var extent = new Checker.Extent[1];
      try {
        store.quietly(
            address,
            () ->
                extent[0] =
                    new Checker(disk, data, findings).checkSettled(name, store.catalogue()));
      } catch (IOException e) {
        // It cannot be opened, so nothing is written to it either.
        findings.accept(
            new Finding(
                Finding.Severity.DAMAGE,
                "mail/" + name,
                -1,
                "the server cannot open it: " + e.getMessage()));
        extent[0] = new Checker(disk, data, findings).checkSettled(name, store.catalogue());
      }
      documents++;
      messages += extent[0].messages();
      octets += extent[0].octets();
      told.accept(new Told.Progress(octets, 0, messages));
    }
    return findings.end(documents, messages, octets, began);
  }

  /// Tells findings, and whether there was damage.
  static final class Findings implements Consumer<Finding> {

    private final Consumer<Told> told;
    private long damaged;
    private long notes;

    Findings(Consumer<Told> told) {
      this.told = told;
    }

    @Override
    public void accept(Finding finding) {
      if (finding.severity() == Finding.Severity.DAMAGE) {
        damaged++;
      } else {
        notes++;
      }
      told.accept(new Told.Line(finding.toString()));
    }

    /// Tells what has been looked at; the exit code.
    int end(int documents, long messages, long octets, long beganNanos) {
      told.accept(
          new Told.Line(
              String.format(
                  Locale.ROOT,
                  "%d documents, %d messages, %d octets in %.1f s: %s",
                  documents,
                  messages,
                  octets,
                  (System.nanoTime() - beganNanos) / 1e9,
                  damaged > 0
                      ? "DAMAGED, " + damaged + " findings"
                      : notes > 0 ? "in order, " + notes + " notes" : "in order")));
      return damaged > 0 ? ExitCode.DATA : ExitCode.OK;
    }
  }

  private int rebuild(String text, Consumer<Told> told) throws IOException, CommandException {
    int code = ExitCode.OK;
    for (var address : wanted(text)) {
      try {
        for (var line : store.rebuild(address)) {
          told.accept(new Told.Line(address + ": " + line));
        }
      } catch (IOException e) {
        told.accept(new Told.Line(address + ": not rebuilt: " + e.getMessage()));
        code = ExitCode.DATA;
      }
    }
    return code;
  }

  /// Tells the messages of an account, in the order of mailboxes and UIDs, or, without a mailbox
  /// and content, its mailboxes as lines.
  private int read(String text, String name, long uid, boolean content, Consumer<Told> told)
      throws IOException, CommandException {
    var address = address(text);
    if (!hasDocument(address)) {
      throw new CommandException(
          ExitCode.NO_INPUT, address + " has no document yet; the first message makes it");
    }
    var account = store.account(address);
    if (name.isEmpty() && !content) {
      mailboxes(account, told);
      return ExitCode.OK;
    }
    var wanted = new ArrayList<Mailbox>();
    if (name.isEmpty()) {
      wanted.addAll(account.mailboxes());
    } else {
      wanted.add(
          account
              .mailbox(name)
              .orElseThrow(
                  () ->
                      new CommandException(
                          ExitCode.NO_INPUT, address + " has no mailbox \"" + name + "\"")));
    }
    long total = wanted.stream().mapToLong(Mailbox::octets).sum();
    long octets = 0;
    long messages = 0;
    int damaged = 0;
    for (var mailbox : wanted) {
      try (var view = account.view(mailbox.number(), false)) {
        int from = uid > 0 ? view.sequenceOf(uid) : 1;
        int to = uid > 0 ? from : view.count();
        if (from == 0) {
          throw new CommandException(
              ExitCode.NO_INPUT, "mailbox " + mailbox.name() + " has no message of UID " + uid);
        }
        for (int i = from; i <= to; i++) {
          var entry = view.at(i);
          if (entry.expunged()) {
            continue;
          }
          try {
            read(account, mailbox, entry, content, told);
          } catch (IOException e) {
            damaged++;
            told.accept(new Told.Line(mailbox.name() + "/" + entry.uid() + ": " + e.getMessage()));
          }
          octets += entry.sizeOctets();
          messages++;
          if (content && uid == 0) {
            told.accept(new Told.Progress(octets, total, messages));
          }
        }
      } catch (MailboxException e) {
        throw new IOException(mailbox.name() + " has been removed meanwhile", e);
      }
    }
    return damaged > 0 ? ExitCode.DATA : ExitCode.OK;
  }

  private static void mailboxes(Account account, Consumer<Told> told) throws IOException {
    told.accept(
        new Told.Line(
            String.format(
                Locale.ROOT, "%8s %8s %12s  %s", "messages", "unseen", "octets", "mailbox")));
    for (var mailbox : account.mailboxes()) {
      told.accept(
          new Told.Line(
              String.format(
                  Locale.ROOT,
                  "%8d %8d %12d  %s",
                  mailbox.messages(),
                  mailbox.unseen(),
                  mailbox.octets(),
                  Printable.of(mailbox.name()))));
    }
  }

  private static void read(
      Account account, Mailbox mailbox, Entry entry, boolean content, Consumer<Told> told)
      throws IOException {
    try (var in = account.open(entry)) {
      var first = in.readNBytes(HEADER_OCTETS);
      told.accept(new Told.Message(facts(mailbox, entry, first)));
      if (content) {
        told.accept(new Told.Octets(first));
        copy(in, told);
      }
    }
  }

  private static void copy(InputStream in, Consumer<Told> told) throws IOException {
    for (var octets = in.readNBytes(1 << 16); octets.length > 0; octets = in.readNBytes(1 << 16)) {
      told.accept(new Told.Octets(octets));
    }
  }

  private static MessageFacts facts(Mailbox mailbox, Entry entry, byte[] first) {
    var header = Header.of(first);
    return new MessageFacts(
        mailbox.name(),
        entry.uid(),
        entry.saved(),
        entry.marks(),
        entry.sizeOctets(),
        header.first("From").map(field -> EncodedWords.decode(field.value())).orElse(""),
        header.first("Subject").map(field -> EncodedWords.decode(field.value())).orElse(""));
  }

  private int take(
      String text, List<Path> files, String mailbox, boolean again, Consumer<Told> told)
      throws IOException, CommandException {
    var address = address(text);
    var importer =
        new Importer(
            store,
            store.account(address),
            data.resolve("import").resolve(Store.documentName(address)),
            mailbox.isEmpty() ? Optional.empty() : Optional.of(mailbox),
            again,
            new Importer.Listener() {
              @Override
              public void at(long octets, long total, long messages) {
                told.accept(new Told.Progress(octets, total, messages));
              }

              @Override
              public void note(String note) {
                told.accept(new Told.Line(note));
              }
            });
    try {
      var outcome = importer.run(files);
      told.accept(
          new Told.Line(
              String.format(
                  Locale.ROOT,
                  "%d messages imported, %d octets; %d were there already",
                  outcome.messages(),
                  outcome.octets(),
                  outcome.known())));
      return outcome.refused() > 0 ? ExitCode.DATA : ExitCode.OK;
    } catch (MailboxException e) {
      throw new CommandException(ExitCode.DATA, String.valueOf(e.getMessage()));
    }
  }
}
