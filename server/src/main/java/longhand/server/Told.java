package longhand.server;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import longhand.store.Flag;
import longhand.store.Marks;
import longhand.transfer.MessageFacts;
import tools.jackson.databind.json.JsonMapper;

/// What a tool says while it works. It works in the process that has the data folder open, which
/// may be the server, and is heard at the keyboard: as it is, or as a line over the control socket.
sealed interface Told {

  /// A line for standard output.
  record Line(String text) implements Told {}

  /// How far it is.
  ///
  /// @param total octets there are; 0 when that is not known
  record Progress(long octets, long total, long messages) implements Told {}

  /// A message follows, in as many `Octets` as it takes.
  record Message(MessageFacts facts) implements Told {}

  /// The next octets of that message.
  record Octets(byte[] octets) implements Told {}

  /// As a line.
  default String toLine() {
    return switch (this) {
      case Line(var text) -> "L" + text.replace('\n', ' ');
      case Progress(long octets, long total, long messages) ->
          "P" + octets + " " + total + " " + messages;
      case Octets(var octets) -> "O" + Base64.getEncoder().encodeToString(octets);
      case Message(var facts) -> "M" + json(facts);
    };
  }

  private static String json(MessageFacts facts) {
    var json = new JsonMapper().createObjectNode();
    json.put("mailbox", facts.mailbox());
    json.put("uid", facts.uid());
    json.put("saved", facts.saved().getEpochSecond());
    json.put("size", facts.sizeOctets());
    json.put("from", facts.from());
    json.put("subject", facts.subject());
    var flags = json.putArray("flags");
    facts.marks().flags().forEach(flag -> flags.add(flag.name()));
    var keywords = json.putArray("keywords");
    facts.marks().keywords().forEach(keywords::add);
    return json.toString();
  }

  /// Reads a line.
  ///
  /// @throws IllegalArgumentException when it is none of ours: client and server are of different
  ///   versions
  static Told ofLine(String line) {
    var rest = line.isEmpty() ? "" : line.substring(1);
    return switch (line.isEmpty() ? ' ' : line.charAt(0)) {
      case 'L' -> new Line(rest);
      case 'O' -> new Octets(Base64.getDecoder().decode(rest));
      case 'P' -> {
        int first = rest.indexOf(' ');
        int second = rest.indexOf(' ', first + 1);
        yield new Progress(
            Long.parseLong(rest.substring(0, first)),
            Long.parseLong(rest.substring(first + 1, second)),
            Long.parseLong(rest.substring(second + 1)));
      }
      case 'M' -> {
        var json = new JsonMapper().readTree(rest);
        var flags = new ArrayList<Flag>();
        json.path("flags").forEach(flag -> flags.add(Flag.valueOf(flag.asString(""))));
        var keywords = new ArrayList<String>();
        json.path("keywords").forEach(keyword -> keywords.add(keyword.asString("")));
        yield new Message(
            new MessageFacts(
                json.path("mailbox").asString(""),
                json.path("uid").asLong(0),
                Instant.ofEpochSecond(json.path("saved").asLong(0)),
                Marks.of(flags, keywords),
                json.path("size").asLong(0),
                json.path("from").asString(""),
                json.path("subject").asString("")));
      }
      default -> throw new IllegalArgumentException("the server says \"" + line.length() + "\"");
    };
  }
}
