package longhand.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Real messages, and what others found in them.
class SharedMessagesTest {

  /// Broken on purpose, and to be read in more than one way. There we follow the RFCs where the
  /// expected parse guesses: a boundary is the whole line (004, 009, 011, 012, 016: "--ab" is not
  /// boundary "a", and a boundary may begin another), an inner multipart may have the boundary of
  /// the outer one (001, 007, 008), headers may be followed by a boundary at once (000), a message
  /// that is no message still is one part (022), multiparts without parts (002, 020, 021), and
  /// where an open multipart ends at the end of all (019).
  private static final Set<String> READ_OTHERWISE =
      Set.of(
          "malformed/000",
          "malformed/001",
          "malformed/002",
          "malformed/004",
          "malformed/007",
          "malformed/008",
          "malformed/009",
          "malformed/011",
          "malformed/012",
          "malformed/016",
          "malformed/019",
          "malformed/020",
          "malformed/021",
          "malformed/022",
          // message/rfc822 in base64, which RFC 2046 §5.2.1 forbids: shown as it lies there.
          "rfc/008",
          // The line "invalid--1--" is no boundary: RFC 2046 wants it at the beginning of a line.
          "thirdparty/005",
          // A message within a multipart within a message: the expected parse merges two of them.
          "thirdparty/015");

  private static Path folder(String name) {
    var folder = SharedData.folder(name);
    assumeTrue(folder.isPresent(), "skipped: shared/data/" + name + " is not here");
    return folder.get();
  }

  /// One message in one form, with its expected parse.
  private record Case(String name, boolean crlf, byte[] octets, JsonNode expected) {
    boolean isReadOtherwise() {
      return READ_OTHERWISE.contains(name);
    }
  }

  private static List<Case> cases() throws IOException {
    var folder = folder("mail-parser").resolve("eml");
    var cases = new ArrayList<Case>();
    for (var json : SharedData.files(folder, ".json")) {
      var name = folder.relativize(json).toString().replace(".json", "");
      boolean crlf = name.endsWith(".crlf");
      name = name.replace(".crlf", "");
      var octets = Files.readAllBytes(folder.resolve(name + ".eml"));
      cases.add(
          new Case(
              name,
              crlf,
              crlf ? SharedData.crlf(octets) : SharedData.lf(octets),
              JsonMapper.builder().build().readTree(Files.readString(json))));
    }
    assertThat(cases).hasSizeGreaterThan(200);
    return cases;
  }

  @Test
  void partsLieWhereTheyAreExpected() throws IOException {
    int same = 0;
    var wrong = new ArrayList<String>();
    for (var one : cases()) {
      var expected = new ArrayList<String>();
      walk(one.expected, 0, "", expected);
      var ours = outline(Summary.of(one.octets));
      if (expected.equals(ours)) {
        same++;
      } else if (!one.isReadOtherwise() && !isLastLoneCr(one)) {
        wrong.add(one.name + " " + one.crlf + "\n  " + expected + "\n  " + ours);
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(same).isGreaterThan(175);
  }

  /// Its file ends in a CR without LF, which the other form has lost.
  private static boolean isLastLoneCr(Case one) {
    return one.name.equals("legacy/049") && !one.crlf;
  }

  private static void walk(JsonNode message, int index, String indent, List<String> out) {
    var part = message.get("parts").get(index);
    var body = part.get("body");
    var kind = body.isObject() ? body.propertyNames().iterator().next() : body.asString();
    var where =
        part.get("offset_header").asInt()
            + "-"
            + part.get("offset_body").asInt()
            + "-"
            + part.get("offset_end").asInt();
    switch (kind) {
      case "Multipart" -> {
        out.add(indent + "P" + where);
        for (var child : body.get(kind)) {
          walk(message, child.asInt(), indent + " ", out);
        }
      }
      case "Message" -> {
        out.add(indent + "M" + where);
        walk(body.get(kind), 0, indent + " ", out);
      }
      default -> out.add(indent + "L" + where);
    }
  }

  private static List<String> outline(Summary summary) {
    var out = new ArrayList<String>();
    for (var part : summary.parts()) {
      int depth = 0;
      for (int p = part.parent(); p >= 0; p = summary.parts().get(p).parent()) {
        depth++;
      }
      var kind =
          switch (part.kind()) {
            case LEAF -> "L";
            case MULTIPART -> "P";
            case MESSAGE -> "M";
          };
      out.add(
          " ".repeat(depth)
              + kind
              + part.headerStart()
              + "-"
              + part.bodyStart()
              + "-"
              + part.end());
    }
    return out;
  }

  @Test
  void addressesAndSubjectsAreWhatIsExpected() throws IOException {
    int addresses = 0;
    int subjects = 0;
    var wrong = new ArrayList<String>();
    for (var one : cases()) {
      var header = Header.of(one.octets);
      for (var field : one.expected.get("parts").get(0).get("headers")) {
        if (!field.get("name").isString()) {
          continue;
        }
        var name = field.get("name").asString();
        var value = field.get("value");
        if (name.equals("subject") && value.has("Text")) {
          subjects++;
          var ours = EncodedWords.decode(header.first("Subject").orElseThrow().value());
          if (!squeezed(ours).equals(squeezed(value.get("Text").asString()))) {
            wrong.add(one.name + " subject " + value + " ours " + ours);
          }
        } else if (Set.of("from", "to", "cc", "bcc", "sender").contains(name)
            && value.has("Address")
            && value.get("Address").has("List")) {
          addresses++;
          var expected = new ArrayList<String>();
          for (var address : value.get("Address").get("List")) {
            expected.add(
                (address.get("name").isNull() ? "" : squeezed(address.get("name").asString()))
                    + " "
                    + address.get("address").asString(""));
          }
          var ours = new ArrayList<String>();
          for (var address : HeaderAddress.list(header.first(name).orElseThrow().value())) {
            if (address instanceof HeaderAddress.One(var display, _, var local, var host)) {
              ours.add(
                  (display == null ? "" : squeezed(decoded(display)))
                      + " "
                      + decoded(local)
                      + (host.isEmpty() ? "" : "@" + decoded(host)));
            }
          }
          if (!expected.equals(ours)) {
            wrong.add(one.name + " " + name + " " + expected + " ours " + ours);
          }
        }
      }
    }
    assertThat(addresses).isGreaterThan(100);
    assertThat(subjects).isGreaterThan(100);
    // What differs: UTF-7, which Java does not have, words without `@`, which are a name to some
    // and
    // an address to us, and octets that are none of their charset, which we guess at.
    wrong.removeIf(
        text ->
            text.contains("+AP")
                || text.startsWith("rfc/001 ")
                || text.startsWith("rfc/004 ")
                || text.indexOf('\ufffd') >= 0);
    assertThat(wrong).isEmpty();
  }

  private static String decoded(String text) {
    return EncodedWords.decode(text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
  }

  private static String squeezed(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  private static List<Path> allMessages() throws IOException {
    var messages = new ArrayList<Path>();
    messages.addAll(SharedData.files(folder("mail-parser"), ".eml"));
    messages.addAll(SharedData.files(folder("mime4j"), ".msg"));
    messages.addAll(SharedData.files(folder("python-email"), ".txt"));
    assertThat(messages).hasSizeGreaterThan(200);
    return messages;
  }

  @Test
  void summariesAreSoundWhicheverWayTheyAreMade() throws IOException {
    for (var file : allMessages()) {
      var raw = Files.readAllBytes(file);
      for (var octets : List.of(raw, SharedData.crlf(raw), SharedData.lf(raw))) {
        var summary = Summary.of(octets);
        Soundness.check(octets, summary, file.toString());
        var streamed = Summary.of(new Trickle(octets, 7));
        assertEquals(summary.parts(), streamed.parts(), file.toString());
        assertArrayEquals(summary.bodyStructure(), streamed.bodyStructure(), file.toString());
        assertArrayEquals(summary.envelope(), streamed.envelope(), file.toString());
      }
    }
  }

  /// Compares the shape with mime4j's own expectations, which are made of its own ideas of what is
  /// broken: those messages are counted, not compared.
  @Test
  void mime4jMessagesHaveTheirParts() throws IOException {
    int same = 0;
    int other = 0;
    for (var file : SharedData.files(folder("mime4j"), ".msg")) {
      var xml = file.resolveSibling(file.getFileName().toString().replace(".msg", ".xml"));
      if (!Files.exists(xml)) {
        continue;
      }
      var expected = shape(Files.readString(xml, java.nio.charset.StandardCharsets.ISO_8859_1));
      var ours = new StringBuilder();
      for (var part : Summary.of(Files.readAllBytes(file)).parts()) {
        ours.append(
            switch (part.kind()) {
              case LEAF -> "L";
              case MULTIPART -> "P";
              case MESSAGE -> "M";
            });
      }
      if (expected.contentEquals(ours)) {
        same++;
      } else {
        other++;
      }
    }
    assertTrue(same > 4 * other, same + " the same, " + other + " not");
  }

  /// The kinds of the parts in order. mime4j's outermost `<message>` is the message itself.
  private static String shape(String xml) {
    var out = new StringBuilder();
    boolean outermost = true;
    for (int i = xml.indexOf('<'); i >= 0; i = xml.indexOf('<', i + 1)) {
      if (xml.startsWith("<body>", i)) {
        out.append('L');
      } else if (xml.startsWith("<multipart>", i)) {
        out.append('P');
      } else if (xml.startsWith("<message>", i)) {
        out.append(outermost ? "" : "M");
        outermost = false;
      }
    }
    return out.toString();
  }

  /// A stream that gives few octets at a time.
  static final class Trickle extends ByteArrayInputStream {
    private final int most;

    Trickle(byte[] octets, int most) {
      super(octets);
      this.most = most;
    }

    @Override
    public synchronized int read(byte[] target, int offset, int length) {
      return super.read(target, offset, Math.min(length, most));
    }
  }
}
