package longhand.smtp;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.delivery.Destination;
import longhand.delivery.Outcome;
import longhand.journey.JourneyId;
import longhand.journey.Station;
import longhand.mail.Address;
import longhand.mail.ForwardPath;
import longhand.wire.Connection;
import org.jspecify.annotations.Nullable;

/// What a session notes of the journeys of its messages, refused ones too. A transaction has its
/// message's id from MAIL on; what happens outside of one is noted under an id of the session.
final class SmtpJourney {

  /// Ends of an address that are named.
  private static final int ENDS_MAX = 5;

  private final Connection connection;
  private final SmtpServices services;
  private final boolean on;
  private @Nullable String session;
  private Destination.@Nullable Found destination;

  SmtpJourney(Connection connection, SmtpServices services) {
    this.connection = connection;
    this.services = services;
    this.on = services.journeys().isOn();
  }

  /// A proxy has said for whom it speaks: what follows is another client's.
  void anotherClient() {
    session = null;
  }

  private void note(String id, Station.Kind kind, String subject, String words, String value) {
    services.journeys().note(id, kind, subject, words, value);
  }

  private String peer() {
    return connection.peer().getAddress().getHostAddress();
  }

  private String session() {
    var id = session;
    if (id == null) {
      id = JourneyId.next();
      session = id;
      note(id, Station.Kind.CLIENT, peer(), "came to " + kind(), connection.peer().toString());
    }
    return id;
  }

  private String kind() {
    return switch (services.mode()) {
      case RECEPTION -> "hand in mail for our users";
      case SUBMISSION -> "send mail as one of our users";
      case LMTP -> "hand in mail over LMTP";
    };
  }

  /// MAIL was accepted.
  ///
  /// @param client what the client calls itself
  /// @param protocol as in a Received field
  void begins(
      String id, Command.Mail mail, String client, String protocol, @Nullable Address user) {
    if (!on) {
      return;
    }
    var tls = connection.tls();
    note(
        id,
        Station.Kind.CLIENT,
        peer(),
        "which calls itself "
            + client
            + ", brings a message "
            + (tls.isPresent() ? "over TLS" : "in clear"),
        tls.map(to -> protocol + ", " + to.getProtocol() + " " + to.getCipherSuite())
            .orElse(protocol));
    if (user != null) {
      note(id, Station.Kind.LOGIN, user.quoted(), "has logged in", "");
    }
    note(id, Station.Kind.SENDER, path(mail), "is the sender", said(mail));
  }

  private static String path(Command.Mail mail) {
    return mail.from().address().map(Address::quoted).orElse("<>");
  }

  private static String said(Command.Mail mail) {
    var said = new StringBuilder();
    mail.sizeOctets().ifPresent(octets -> said.append("SIZE=").append(octets).append(' '));
    if (mail.smtpUtf8()) {
      said.append("SMTPUTF8");
    }
    return said.toString().strip();
  }

  /// MAIL is answered: when it was refused, that is all there is of that message.
  Reply begun(Command.Mail mail, Reply reply) {
    if (on && reply != Reply.SENDER_OK) {
      note(session(), Station.Kind.SENDER, path(mail), "may bring no message", reply.toString());
    }
    return reply;
  }

  /// Where the recipient leads that is accepted now.
  void leadsTo(Destination.Found to) {
    destination = to;
  }

  /// RCPT is answered.
  Reply recipient(Optional<String> id, Command.Recipient recipient, Reply reply) {
    if (on) {
      note(
          id.orElseGet(this::session),
          Station.Kind.RECIPIENT,
          recipient.to().address().quoted(),
          reply.code() == 250 ? accepted() : "is refused",
          reply.toString());
    }
    return reply;
  }

  private String accepted() {
    var to = destination;
    if (to == null) {
      return "is taken";
    }
    var ends = new ArrayList<String>();
    to.here().forEach(each -> ends.add("the account " + each.account().address().quoted()));
    if (to.ours()) {
      to.onward().forEach(each -> ends.add(each.path().address().quoted() + " elsewhere"));
    }
    if (ends.isEmpty()) {
      return "is to be reached through other servers";
    }
    return ends.size() > ENDS_MAX
        ? "leads to " + ends.size() + " addresses"
        : "leads to " + String.join(" and ", ends);
  }

  /// AUTH is answered; noted when that means that no message can follow.
  Reply login(Command.Auth auth, Reply reply) {
    if (on && (reply.isError() || reply.code() == 454)) {
      note(session(), Station.Kind.LOGIN, "", "the log-in failed", auth.mechanism() + ": " + reply);
    }
    return reply;
  }

  /// The message has come.
  ///
  /// @param added the fields that it was given, each with CRLF
  /// @param user who logged in
  /// @param wrong why it is refused, as far as that is known already
  void message(
      String id, Incoming incoming, String added, @Nullable Address user, @Nullable Reply wrong) {
    if (!on) {
      return;
    }
    var own = incoming.header().messageIdValue();
    var messageId = own.isEmpty() ? messageId(added) : own;
    note(
        id,
        Station.Kind.MESSAGE,
        messageId,
        (messageId.isEmpty() ? "what came has no Message-ID: " : "is the Message-ID of what came: ")
            + incoming.octets()
            + " octets",
        added.isEmpty() ? "" : "added " + added.replace("\r\n", " ").strip());
    boolean checked = user != null && !incoming.header().from().isEmpty();
    if (checked && (wrong == null || wrong == Reply.NOT_YOUR_FROM)) {
      note(
          id,
          Station.Kind.CHECK,
          "",
          wrong == null
              ? "the From field names who logged in"
              : "the From field names somebody else than who logged in",
          "From: " + String.join("; ", incoming.header().from()));
    }
  }

  private static String messageId(String added) {
    int begin = added.indexOf("Message-ID: ");
    int end = added.indexOf("\r\n", Math.max(begin, 0));
    return begin < 0 || end < 0 ? "" : added.substring(begin + "Message-ID: ".length(), end);
  }

  /// What became of the message, where it is not in an account or the queue; [longhand.delivery]
  /// notes those.
  void outcomes(String id, List<Destination.Found> to, List<Outcome> outcomes) {
    if (!on) {
      return;
    }
    for (int i = 0; i < outcomes.size(); i++) {
      var subject = to.get(i).path().address().quoted();
      switch (outcomes.get(i)) {
        case Outcome.Deferred(var status, var detail) ->
            note(id, Station.Kind.RECIPIENT, subject, "cannot get it now", status + " " + detail);
        case Outcome.Refused(var status, var detail) ->
            note(id, Station.Kind.RECIPIENT, subject, "cannot get it", status + " " + detail);
        case Outcome.Stored _, Outcome.Queued _ -> {}
      }
    }
  }

  /// What the client is told of the message: once, or for each recipient.
  void answered(String id, List<ForwardPath> to, List<Reply> replies) {
    if (!on) {
      return;
    }
    for (int i = 0; i < replies.size(); i++) {
      var reply = replies.get(i);
      note(
          id,
          Station.Kind.REPLY,
          replies.size() > 1 ? to.get(i).address().quoted() : "",
          switch (reply.code() / 100) {
            case 2 -> "the message is accepted";
            case 4 -> "the message is not taken now, and may come again";
            default -> "the message is refused";
          },
          reply.toString());
    }
  }

  /// A transaction comes to nothing.
  void abandoned(String id) {
    if (on) {
      note(id, Station.Kind.END, "", "no message came", "");
    }
  }

  /// The session ends with that reply. Silence between messages is no news.
  void ended(Optional<String> id, Reply reply) {
    if (on && (id.isPresent() || (reply != Reply.TIMEOUT && reply != Reply.SHUTDOWN))) {
      note(
          id.orElseGet(this::session),
          Station.Kind.REPLY,
          "",
          "the session ends",
          reply.toString());
    }
  }
}
