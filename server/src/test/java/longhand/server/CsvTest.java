package longhand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvTest {

  private static List<List<String>> rows(String text) throws IOException {
    var csv = new Csv(new StringReader(text));
    var rows = new ArrayList<List<String>>();
    for (var row = csv.next(); row != null; row = csv.next()) {
      rows.add(row);
    }
    return rows;
  }

  @Test
  void plainAndQuotedValues() throws IOException {
    assertThat(rows("a,b\r\nc,d\n")).containsExactly(List.of("a", "b"), List.of("c", "d"));
    assertThat(rows("\ufeffa,b")).containsExactly(List.of("a", "b"));
    assertThat(rows("\"a,\"\"b\"\"\",\"c\nd\"\r\n")).containsExactly(List.of("a,\"b\"", "c\nd"));
    assertThat(rows("a,,\n\n")).containsExactly(List.of("a", "", ""), List.of(""));
    assertThat(rows("")).isEmpty();
    assertThat(rows("a\rb,c")).containsExactly(List.of("a\rb", "c"));
  }

  @Test
  void aBadRowIsNamedAndTheRestGoesOn() throws IOException {
    var csv = new Csv(new StringReader("a\n\"x\"y,z\nb," + "c".repeat(20_000) + "\nd\n\"e\n"));
    assertThat(csv.next()).containsExactly("a");
    assertThatThrownBy(csv::next).isInstanceOf(IllegalArgumentException.class);
    assertThat(csv.line()).isEqualTo(2);
    assertThatThrownBy(csv::next).isInstanceOf(IllegalArgumentException.class);
    assertThat(csv.line()).isEqualTo(3);
    assertThat(csv.next()).containsExactly("d");
    assertThatThrownBy(csv::next).isInstanceOf(IllegalArgumentException.class);
    assertThat(csv.next()).isNull();
  }
}
