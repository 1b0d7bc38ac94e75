package longhand.imap;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.mail.ReversePath;
import longhand.store.Account;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.MailboxException;
import longhand.wire.Connection;
import org.jspecify.annotations.Nullable;

/// APPEND (RFC 3501 §6.3.11), of several messages too (RFC 3502): all are stored or none. Messages
/// stream into letters; nothing is asked for that will be refused, and what comes unasked is passed
/// over.
final class Append {

  /// What became of it.
  sealed interface Outcome {
    /// Durable. `text` goes after OK.
    record Stored(String text) implements Outcome {}

    /// NO.
    record Refused(String code, String text) implements Outcome {}

    /// BAD.
    record Wrong(String text, boolean close) implements Outcome {}
  }

  /// How many times the limit of one message all messages of one command may be.
  private static final int MESSAGES_SIZE_FACTOR = 4;

  private final ImapServices services;
  private final Connection connection;
  private final Account account;
  private final Response out;
  private final List<Letter> letters = new ArrayList<>();
  private final List<longhand.store.Append> appends = new ArrayList<>();
  private long octets;
  private int messages;
  private Outcome.@Nullable Refused refused;

  Append(ImapServices services, Connection connection, Account account, Response out) {
    this.services = services;
    this.connection = connection;
    this.account = account;
    this.out = out;
  }

  /// Reads the messages after the mailbox name and stores them.
  Outcome run(String name, ImapParser parser) throws IOException {
    var mailbox = account.mailbox(name);
    if (mailbox.isEmpty()) {
      refused = new Outcome.Refused("TRYCREATE", "there is no such mailbox");
    }
    try {
      do {
        var message = parser.appendMessage();
        var size = message.size();
        int most = services.limits().imapAppendMessagesMax();
        if (messages++ == most) {
          return new Outcome.Wrong("more than " + most + " messages", false);
        }
        check(size.octets());
        if (refused != null) {
          if (size.synchronizing()) {
            return refused;
          }
          if (size.octets() > 2L * services.limits().messageOctetsMax()) {
            return new Outcome.Wrong("[TOOBIG] message too large", true);
          }
        } else if (size.synchronizing()) {
          out.line("+ OK");
          out.flush();
        }
        read(message, mailbox);
        parser.nextLine();
      } while (!parser.appendEnded());
      return refused != null ? refused : store(mailbox);
    } catch (ImapParser.SyntaxException e) {
      var text = e.getMessage();
      return new Outcome.Wrong(text == null ? "syntax error" : text, e.close);
    } finally {
      for (var letter : letters) {
        letter.close();
      }
    }
  }

  /// Refuses what can be told from sizes alone; the first reason stays.
  private void check(long size) throws IOException {
    var limits = services.limits();
    octets += size;
    if (refused != null) {
      return;
    }
    if (size > limits.messageOctetsMax()) {
      refused = new Outcome.Refused("TOOBIG", "more than " + limits.messageOctetsMax() + " octets");
    } else if (size == 0) {
      refused = new Outcome.Refused("CANNOT", "a message without octets (RFC 3502 §6.3.11)");
    } else if (octets > (long) MESSAGES_SIZE_FACTOR * limits.messageOctetsMax()) {
      refused = new Outcome.Refused("LIMIT", "too much at once");
    } else if (services.store().freeOctets() < limits.diskFreeOctetsMin()) {
      refused = new Outcome.Refused("UNAVAILABLE", "no space on the server's disk now");
    } else if (!services.hasRoom(account.address(), octets)) {
      refused = new Outcome.Refused("OVERQUOTA", "no room for that");
    }
  }

  private void read(ImapParser.AppendMessage message, Optional<Mailbox> mailbox)
      throws IOException {
    var letter = refused == null ? services.store().letter() : null;
    if (letter != null) {
      letters.add(letter);
    }
    connection.rateBegin(services.limits().dataRateMin(), services.limits().dataRateGrace());
    IOException failed = null;
    for (long left = message.size().octets(); left > 0; ) {
      int n = (int) Math.min(left, waiting());
      if (letter != null && failed == null) {
        try {
          letter.write(connection.input(), connection.position(), n);
        } catch (IOException e) {
          failed = e; // the rest is read all the same: it is no command
        }
      }
      connection.consume(n);
      left -= n;
    }
    connection.rateEnd();
    if (failed != null) {
      refused = new Outcome.Refused("UNAVAILABLE", "the mail store cannot take it now");
      System.getLogger(Append.class.getName())
          .log(System.Logger.Level.WARNING, "cannot write a letter", failed);
    }
    if (refused == null && letter != null && mailbox.isPresent()) {
      letter.finish();
      appends.add(
          new longhand.store.Append(
              account,
              mailbox.get().number(),
              ReversePath.NULL,
              message.saved().orElseGet(Instant::now),
              message.marks(),
              new byte[0],
              letter));
    }
  }

  /// Waits until octets are in the connection's window, and says how many.
  private int waiting() throws IOException {
    boolean more;
    try {
      more = connection.fill();
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      throw new ConnectionLost(e);
    }
    if (!more) {
      throw new EOFException();
    }
    return connection.limit() - connection.position();
  }

  private Outcome store(Optional<Mailbox> mailbox) throws IOException {
    try {
      var entries = services.store().append(appends);
      services.counts().appended.add(entries.size());
      var uids = new UidList();
      for (var entry : entries) {
        uids.add(entry.uid());
      }
      long validity = mailbox.map(Mailbox::uidValidity).orElse(0L);
      return new Outcome.Stored("[APPENDUID " + validity + " " + uids + "] APPEND completed");
    } catch (MailboxException e) {
      // It was there when we began.
      return new Outcome.Refused("TRYCREATE", "there is no such mailbox");
    }
  }
}
