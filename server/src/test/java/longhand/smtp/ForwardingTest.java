package longhand.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.dialog.TestServer;
import longhand.directory.AliasName;
import longhand.directory.AliasRecord;
import longhand.directory.Forward;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.queue.QueueEntry;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.wire.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Mail for aliases, groups and accounts that forward, from the client's RCPT to documents and
/// queue.
class ForwardingTest {

  @TempDir Path data;
  private TestServer server;

  @BeforeEach
  void open() throws IOException {
    server = new TestServer(data, Limits.DEFAULT);
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private static Address elsewhere(String localPart) {
    return new Address(localPart, new Domain("example.net"));
  }

  private void alias(String name, Address... targets) throws IOException {
    var record = AliasRecord.of(AliasName.of(TestServer.address(name)), List.of(targets));
    assertThat(server.directory.putAlias(record, Optional.empty())).isTrue();
  }

  /// Says those lines, each after the answer to the one before; gives the last lines of answers.
  private List<String> talk(String... lines) throws IOException {
    var address = server.listener("smtp").address();
    try (var socket = new Socket(address.getAddress(), address.getPort());
        var in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      socket.setSoTimeout(10_000);
      var answers = new ArrayList<String>();
      answers.add(answer(in));
      for (var line : lines) {
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        answers.add(answer(in));
      }
      return answers;
    }
  }

  private static String answer(BufferedReader in) throws IOException {
    for (var line = in.readLine(); line != null; line = in.readLine()) {
      if (line.length() < 4 || line.charAt(3) != '-') {
        return line;
      }
    }
    return "closed";
  }

  private String send(String from, String to, String header) throws IOException {
    return talk(
            "EHLO other.example",
            "MAIL FROM:<" + from + ">",
            "RCPT TO:" + to,
            "DATA",
            header + "Subject: hello\r\n\r\ntext\r\n.")
        .getLast();
  }

  private List<String> messages(String name) throws IOException, MailboxException {
    var account = server.store.account(TestServer.address(name));
    var messages = new ArrayList<String>();
    try (var view = account.view(Mailbox.INBOX, false)) {
      for (int i = 1; i <= view.count(); i++) {
        try (var in = account.open(view.at(i))) {
          messages.add(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
      }
    }
    return messages;
  }

  private List<QueueEntry> queued() {
    var queued = new ArrayList<QueueEntry>();
    server.queue.list(queued::add);
    return queued;
  }

  @Test
  void aGroupReachesItsMembersHereAndElsewhere() throws Exception {
    alias("team", TestServer.address("ana"), TestServer.address("ben"), elsewhere("Bob"));
    assertThat(send("joe@example.com", "<team@example.org>", "")).startsWith("250 2.0.0");
    assertThat(messages("ana")).singleElement().asString().contains("To: team@example.org\r\n");
    assertThat(messages("ben")).hasSize(1);
    var onward = queued().getFirst();
    assertThat(onward.envelope().to()).hasSize(1);
    assertThat(onward.envelope().to().getFirst().address()).isEqualTo(elsewhere("Bob"));
    var from = onward.envelope().from().address().orElseThrow();
    assertThat(from.domain()).isEqualTo(TestServer.DOMAIN);
    assertThat(from.localPart()).startsWith("SRS0=").endsWith("=example.com=joe");

    // A report that comes back finds the sender, and so does nothing else.
    assertThat(send("", "<" + from.quoted() + ">", "")).startsWith("250 2.0.0 Queued");
    assertThat(queued().stream().map(each -> each.envelope().to().getFirst().address().toString()))
        .contains("joe@example.com");
    var forged = from.localPart().replace("=joe", "=eve");
    assertThat(
            talk("EHLO other.example", "MAIL FROM:<>", "RCPT TO:<" + forged + "@example.org>")
                .getLast())
        .startsWith("550 5.1.1");
  }

  @Test
  void anAccountForwardsAndKeepsACopyOrNot() throws Exception {
    var ben = server.directory.account(TestServer.address("ben")).orElseThrow();
    server.directory.put(
        List.of(ben.withForward(Optional.of(new Forward(List.of(elsewhere("ben")), true)))));
    assertThat(send("joe@example.com", "<ben@example.org>", "")).startsWith("250");
    assertThat(messages("ben")).hasSize(1);
    assertThat(queued()).hasSize(1);
    server.directory.put(
        List.of(ben.withForward(Optional.of(new Forward(List.of(elsewhere("ben")), false)))));
    assertThat(send("joe@example.com", "<ben@example.org>", "")).startsWith("250");
    assertThat(messages("ben")).hasSize(1);
    assertThat(queued()).hasSize(2);
  }

  @Test
  void whatComesBackToAnAddressOfOursIsALoop() throws Exception {
    alias("out", elsewhere("bob"));
    assertThat(send("joe@example.com", "<out@example.org>", "")).startsWith("250");
    var queue = server.store.account(new Address("1", new Domain("queue.invalid")));
    try (var view = queue.view(Mailbox.INBOX, false);
        var in = queue.open(view.at(1))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
          .contains("\r\nDelivered-To: out@example.org\r\n");
    }
    assertThat(send("joe@example.com", "<out@example.org>", "Delivered-To: out@example.org\r\n"))
        .startsWith("554 5.4.6");
  }

  @Test
  void aMemberForWhomThereIsNoRoomHoldsUpNobody() throws Exception {
    alias("all", TestServer.address("ana"), TestServer.address("tiny"));
    assertThat(
            send(
                "ben@example.org",
                "<all@example.org>",
                "X-Filler: " + "x".repeat(900) + "\r\nX-More: " + "x".repeat(900) + "\r\n"))
        .startsWith("250");
    assertThat(messages("ana")).hasSize(1);
    assertThat(messages("tiny")).isEmpty();
    assertThat(messages("ben"))
        .singleElement()
        .asString()
        .contains("Action: failed\r\nStatus: 5.2.2\r\n");
  }

  @Test
  void whoAsksForSuccessHearsOfIt() throws Exception {
    assertThat(send("ben@example.org", "<ana@example.org> NOTIFY=SUCCESS", "")).startsWith("250");
    assertThat(messages("ana")).hasSize(1);
    assertThat(messages("ben"))
        .singleElement()
        .asString()
        .contains("Final-Recipient: rfc822; ana@example.org\r\nAction: delivered\r\n");
    assertThat(send("ben@example.org", "<ana@example.org>", "")).startsWith("250");
    assertThat(messages("ben")).hasSize(1);
  }

  @Test
  void nobodyRelaysThroughUs() throws Exception {
    assertThat(
            talk("EHLO other.example", "MAIL FROM:<joe@example.com>", "RCPT TO:<bob@example.net>")
                .getLast())
        .startsWith("550 5.7.1");
    assertThat(queued()).isEmpty();
  }
}
