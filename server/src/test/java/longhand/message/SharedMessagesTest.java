package longhand.message;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SharedMessagesTest {

  @Test
  void explore() throws Exception {
    var folder = SharedData.folder("mail-parser");
    assumeTrue(folder.isPresent(), "skipped: shared/data/mail-parser is not here");
    int same = 0;
    for (var json : SharedData.files(folder.get(), ".json")) {
      var name = json.getFileName().toString();
      boolean crlf = name.endsWith(".crlf.json");
      var eml = json.resolveSibling(name.substring(0, name.length() - (crlf ? 10 : 5)) + ".eml");
      var octets = Files.readAllBytes(eml);
      octets = crlf ? SharedData.crlf(octets) : SharedData.lf(octets);
      var expected = new ArrayList<String>();
      expected(JsonMapper.builder().build().readTree(Files.readString(json)), "", expected);
      var ours = ours(Summary.of(octets));
      if (expected.equals(ours)) {
        same++;
      } else {
        System.out.println("DIFF " + folder.get().relativize(json));
        System.out.println("   expected " + expected);
        System.out.println("   ours     " + ours);
      }
    }
    System.out.println("SAME " + same);
  }

  private static void expected(JsonNode message, String path, List<String> out) {
    walk(message, 0, path, out);
  }

  private static void walk(JsonNode message, int index, String path, List<String> out) {
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
        out.add(path + "P" + where);
        for (var child : body.get(kind)) {
          walk(message, child.asInt(), path + " ", out);
        }
      }
      case "Message" -> {
        out.add(path + "M" + where);
        walk(body.get(kind), 0, path + " ", out);
      }
      default -> out.add(path + "L" + where);
    }
  }

  private static List<String> ours(Summary summary) {
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
}
