package longhand.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import longhand.Seed;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import org.junit.jupiter.api.Test;

/// What the queue writes down is what it reads again, whatever senders and servers put into it.
class QueueTextPropertyTest {

  private static final long SEED = Seed.value();

  @Test
  void whatIsWrittenIsRead() throws Exception {
    var random = new Random(SEED);
    for (int i = 0; i < 3000; i++) {
      var envelope = envelope(random);
      Optional<Address> account =
          random.nextBoolean() ? Optional.of(address(random)) : Optional.empty();
      var arrived = Instant.ofEpochMilli(random.nextLong(4_000_000_000_000L));
      var text = QueueText.arrival("id" + i, arrived, account, envelope);
      var message = "Received: x\r\n\r\nQueue-To: <no@body>\r\n";
      var whole = new String(text, StandardCharsets.UTF_8) + message;
      var read = QueueText.readArrival(in(whole));
      assertThat(read)
          .as("longhand.seed=" + SEED)
          .isEqualTo(new QueueText.Arrival("id" + i, arrived, account, envelope, text.length));

      var recipients = new ArrayList<Progress>();
      var waiting = new ArrayList<QueueText.Numbered>();
      for (int n = 0; n < envelope.to().size(); n++) {
        var progress = progress(random);
        recipients.add(progress);
        if (progress.waits()) {
          waiting.add(new QueueText.Numbered(n, progress));
        }
      }
      var state = QueueText.state("id" + i, i, envelope, recipients);
      assertThat(QueueText.readState(new ByteArrayInputStream(state)))
          .as("longhand.seed=" + SEED)
          .isEqualTo(new QueueText.State("id" + i, i, waiting));
    }
  }

  /// A person may have edited the text: an error that says what is wrong, and nothing else.
  @Test
  void anythingElseIsAnError() throws Exception {
    var random = new Random(SEED);
    for (int i = 0; i < 3000; i++) {
      var envelope = envelope(random);
      var recipients = new ArrayList<Progress>();
      envelope.to().forEach(_ -> recipients.add(progress(random)));
      var octets =
          random.nextBoolean()
              ? QueueText.arrival("x", Instant.EPOCH, Optional.empty(), envelope)
              : QueueText.state("x", 1, envelope, recipients);
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        octets[random.nextInt(octets.length)] = (byte) random.nextInt(256);
      }
      for (boolean state : List.of(true, false)) {
        try {
          var in = new ByteArrayInputStream(octets);
          if (state) {
            QueueText.readState(in);
          } else {
            QueueText.readArrival(in);
          }
        } catch (IOException e) {
          assertThat(e).as("longhand.seed=" + SEED).hasMessageMatching("(?s).+");
        }
      }
    }
    assertThrows(
        IOException.class,
        () -> QueueText.readArrival(in("Queue-Id: " + "x".repeat(20_000) + "\r\n")));
  }

  private static ByteArrayInputStream in(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Envelope envelope(Random random) {
    var to = new ArrayList<ForwardPath>();
    for (int n = random.nextInt(4); n >= 0; n--) {
      Set<ForwardPath.Notify> reports =
          switch (random.nextInt(4)) {
            case 0 -> Set.of();
            case 1 -> Set.of(ForwardPath.Notify.NEVER);
            case 2 -> Set.of(ForwardPath.Notify.FAILURE);
            default -> EnumSet.of(ForwardPath.Notify.SUCCESS, ForwardPath.Notify.DELAY);
          };
      to.add(
          new ForwardPath(
              address(random),
              reports,
              random.nextBoolean() ? Optional.of("rfc822;a+2Bb@x") : Optional.empty()));
    }
    return new Envelope(
        random.nextInt(4) == 0 ? ReversePath.NULL : ReversePath.of(address(random)),
        to,
        Envelope.Body.values()[random.nextInt(3)],
        random.nextBoolean(),
        random.nextBoolean() ? Optional.of(Envelope.Returned.HEADERS) : Optional.empty(),
        random.nextBoolean() ? Optional.of("QQ+20314159") : Optional.empty(),
        random.nextBoolean() ? Handling.USUAL : handling(random));
  }

  private static Handling handling(Random random) {
    boolean requireTls = random.nextBoolean();
    return new Handling(
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(
                new Handling.Release.Until(
                    Instant.ofEpochSecond(9_000_000_000L + random.nextInt()))),
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(
                new Handling.DeliverBy(
                    1 + random.nextInt(100_000),
                    random.nextBoolean()
                        ? Handling.DeliverBy.Mode.RETURN
                        : Handling.DeliverBy.Mode.NOTIFY,
                    random.nextBoolean())),
        random.nextInt(19) - 9,
        requireTls,
        !requireTls && random.nextBoolean());
  }

  private static Address address(Random random) {
    var local = new StringBuilder();
    for (int n = 1 + random.nextInt(8); n > 0; n--) {
      local.append("ab.<> \"\\@;=ä,:'".charAt(random.nextInt(15)));
    }
    return new Address(
        local.toString(), new Domain(random.nextBoolean() ? "example.net" : "[192.0.2.1]"));
  }

  private static Progress progress(Random random) {
    Optional<Progress.Last> last =
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(
                new Progress.Last(
                    Instant.ofEpochSecond(random.nextInt()),
                    new EnhancedStatus(4, random.nextInt(999), 1),
                    random.nextBoolean() ? "" : "mx.example.net [192.0.2.1]",
                    random.nextBoolean() ? "451 4.7.1 wait; last x; then <come> again" : ""));
    return new Progress(
        random.nextInt(3) == 0 ? Progress.State.DELIVERED : Progress.State.WAITING,
        random.nextInt(9),
        Instant.ofEpochSecond(random.nextInt()),
        random.nextBoolean(),
        last);
  }
}
