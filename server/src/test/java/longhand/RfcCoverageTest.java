package longhand;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// `docs/rfc-coverage.md` says which sections of which RFCs the code names, and which tests name
/// them too. It is written from both, and out of date when they say otherwise.
class RfcCoverageTest {

  private static final Pattern COMMENT_LINE = Pattern.compile("\n[ \t]*(///|//|\\*|#)?[ \t]*");

  /// `RFC 5321 §4.1.1`, and more sections of the same: `, §4.1.2`, ` and §4.1.3`.
  private static final Pattern NAMED =
      Pattern.compile("RFC ([0-9]+)((?:(?:,| and| or)? §[0-9A-Z][0-9.]*)*)");

  private static final Pattern SECTION = Pattern.compile("§([0-9A-Z](?:[0-9.]*[0-9])?)");

  /// Files shown of those that name a section.
  private static final int SHOWN_MAX = 4;

  private static final String CODE = "server/src/main/java";
  private static final List<String> TESTS =
      List.of("server/src/test/java", "server/src/test/resources", "server/src/test/interop");

  /// Who names one section.
  private record Named(TreeSet<String> code, TreeSet<String> tests) {
    Named() {
      this(new TreeSet<>(), new TreeSet<>());
    }
  }

  /// By RFC, then by section; the empty one is the RFC as a whole.
  private final Map<Integer, TreeMap<String, Named>> rfcs = new TreeMap<>();

  @Test
  void theDocumentIsUpToDate() throws IOException {
    var root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("longhand"))) {
      root = Objects.requireNonNull(root.getParent());
    }
    read(root, CODE, false);
    for (var tests : TESTS) {
      read(root, tests, true);
    }
    rfcs.values()
        .removeIf(sections -> sections.values().stream().allMatch(each -> each.code.isEmpty()));
    var markdown = markdown();
    var document = root.resolve("docs/rfc-coverage.md");
    if (Boolean.getBoolean("longhand.write-documents")) {
      Files.writeString(document, markdown);
    }
    assertThat(Files.readString(document))
        .as("docs/rfc-coverage.md; ./check --write-documents writes it anew")
        .isEqualTo(markdown);
  }

  @Test
  void sectionsAreFoundAsTheyAreWritten() {
    name(
        "x\n  /// Says (RFC\n  /// 5321 §4.1.1, §4.1.2 and\n  /// §4.5.3.1.2). RFC 3463.",
        "a",
        false);
    assertThat(rfcs.get(5321)).containsOnlyKeys("4.1.1", "4.1.2", "4.5.3.1.2");
    assertThat(rfcs.get(3463)).containsOnlyKeys("");
  }

  private void read(Path root, String folder, boolean tests) throws IOException {
    try (var all = Files.walk(root.resolve(folder))) {
      for (var file : all.filter(Files::isRegularFile).sorted().toList()) {
        var path = root.relativize(file).toString().replace('\\', '/');
        // Nor this test and its titles, which name all of them.
        if (path.contains("/__pycache__/")
            || path.endsWith("/RfcCoverageTest.java")
            || path.endsWith("/rfc-titles.txt")) {
          continue;
        }
        name(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), path, tests);
      }
    }
  }

  private void name(String text, String path, boolean tests) {
    var named = NAMED.matcher(COMMENT_LINE.matcher(text).replaceAll(" "));
    while (named.find()) {
      var sections =
          rfcs.computeIfAbsent(
              Integer.parseInt(named.group(1)), _ -> new TreeMap<>(RfcCoverageTest::inOrder));
      var names = new ArrayList<String>();
      var section = SECTION.matcher(named.group(2));
      while (section.find()) {
        names.add(section.group(1));
      }
      for (var each : names.isEmpty() ? List.of("") : names) {
        var by = sections.computeIfAbsent(each, _ -> new Named());
        (tests ? by.tests : by.code).add(path);
      }
    }
  }

  /// 4.10 comes after 4.9, appendices after all.
  private static int inOrder(String one, String other) {
    var a = one.split("\\.", -1);
    var b = other.split("\\.", -1);
    for (int i = 0; i < Math.min(a.length, b.length); i++) {
      int order =
          Comparator.<String>comparingInt(part -> Character.isLetter(first(part)) ? 1 : 0)
              .thenComparingInt(String::length)
              .thenComparing(Comparator.naturalOrder())
              .compare(a[i], b[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.length, b.length);
  }

  private static char first(String part) {
    return part.isEmpty() ? '0' : part.charAt(0);
  }

  private String markdown() throws IOException {
    var titles = titles();
    var out =
        new StringBuilder(
            """
            # RFCs: where they are obeyed, and where that is tested

            This page is written by `./check --write-documents` from the comments of the code and the tests, which name sections as `RFC 5321 §4.1.1`.
            A section that no test names may still be tested: this page only knows what is said.

            | RFC | Title | Sections the code names | of them named by tests |
            |---|---|---:|---:|
            """);
    for (var rfc : rfcs.entrySet()) {
      int number = rfc.getKey();
      var title = titles.get(number);
      assertThat(title).as("src/test/resources/rfc-titles.txt lacks RFC " + number).isNotNull();
      var sections = sections(rfc.getValue());
      long tested = sections.values().stream().filter(each -> !each.tests.isEmpty()).count();
      out.append("| ").append(sections.isEmpty() ? "" + number : link(number));
      out.append(" | ").append(title).append(" | ");
      out.append(sections.isEmpty() ? "as a whole" : "" + sections.size()).append(" | ");
      out.append(sections.isEmpty() ? "" : "" + tested).append(" |\n");
    }
    for (var rfc : rfcs.entrySet()) {
      var sections = sections(rfc.getValue());
      if (!sections.isEmpty()) {
        out.append("\n## RFC ").append(rfc.getKey()).append("\n\n");
        sections.forEach(
            (section, named) ->
                out.append("- §")
                    .append(section)
                    .append(": ")
                    .append(links(named.code))
                    .append("; ")
                    .append(named.tests.isEmpty() ? "no test names it" : links(named.tests))
                    .append('\n'));
      }
    }
    return out.toString();
  }

  private static String link(int number) {
    return "[" + number + "](#rfc-" + number + ")";
  }

  /// Those that the code names.
  private static Map<String, Named> sections(Map<String, Named> all) {
    var sections = new LinkedHashMap<String, Named>();
    all.forEach(
        (section, named) -> {
          if (!section.isEmpty() && !named.code.isEmpty()) {
            sections.put(section, named);
          }
        });
    return sections;
  }

  private static String links(Set<String> paths) {
    var links = new ArrayList<String>();
    for (var path : paths) {
      var name = path.substring(path.lastIndexOf('/') + 1);
      int dot = name.lastIndexOf('.');
      if (links.size() < SHOWN_MAX) {
        links.add("[" + (dot > 0 ? name.substring(0, dot) : name) + "](../" + path + ")");
      }
    }
    int more = paths.size() - links.size();
    return String.join(", ", links) + (more > 0 ? " and " + more + " more" : "");
  }

  private static Map<Integer, String> titles() throws IOException {
    var titles = new TreeMap<Integer, String>();
    try (var in = RfcCoverageTest.class.getResourceAsStream("/rfc-titles.txt")) {
      var text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      text.lines()
          .forEach(
              line -> {
                int space = line.indexOf(' ');
                titles.put(Integer.parseInt(line.substring(0, space)), line.substring(space + 1));
              });
    }
    return titles;
  }
}
