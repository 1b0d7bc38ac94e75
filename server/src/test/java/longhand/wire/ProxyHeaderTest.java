package longhand.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import longhand.Seed;
import longhand.dialog.Mutator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// HAProxy's specification of the PROXY protocol, §2.1 and §2.2.
class ProxyHeaderTest {

  private static final String SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
  private static final String FOUR = "\u00c0\0\u0002\u0001\u00c63d\u0007\u000f\u00a0\0\u0019";

  private static ProxyHeader header(String client, int port, String server, int serverPort) {
    return new ProxyHeader(
        new InetSocketAddress(InetAddress.ofLiteral(client), port),
        new InetSocketAddress(InetAddress.ofLiteral(server), serverPort));
  }

  /// Reads a header and makes sure that what follows is left.
  private static Optional<ProxyHeader> read(String header) throws IOException {
    var in = new ByteArrayInputStream((header + "\u0016rest").getBytes(ISO_8859_1));
    var read = ProxyHeader.read(in);
    assertThat(new String(in.readAllBytes(), ISO_8859_1)).isEqualTo("\u0016rest");
    return read;
  }

  private static String two(int command, int family, String rest) {
    return SIGNATURE
        + (char) command
        + (char) family
        + (char) (rest.length() >> 8)
        + (char) (rest.length() & 0xff)
        + rest;
  }

  @Test
  void versionOne() throws IOException {
    assertThat(read("PROXY TCP4 192.0.2.1 198.51.100.7 4000 25\r\n"))
        .contains(header("192.0.2.1", 4000, "198.51.100.7", 25));
    assertThat(read("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"))
        .contains(header("2001:db8::1", 0, "::1", 65535));
    assertThat(read("PROXY UNKNOWN\r\n")).isEmpty();
    assertThat(read("PROXY UNKNOWN " + "x".repeat(91) + "\r\n")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "EHLO client.example\r\n",
        "proxy TCP4 192.0.2.1 198.51.100.7 4000 25\r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.7 4000 25\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.7 4000 25\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4000\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4000 25 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4000 25 26\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 4000 25\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 04000 25\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 65536 25\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 -1 25\r\n",
        "PROXY TCP4 192.0.2 198.51.100.7 4000 25\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.7 4000 25\r\n",
        "PROXY TCP4 ::1 198.51.100.7 4000 25\r\n",
        "PROXY TCP6 192.0.2.1 ::1 4000 25\r\n",
        "PROXY TCP6 fe80::1%1 ::1 4000 25\r\n",
        "PROXY TCP6 [::1] ::1 4000 25\r\n",
        "PROXY TCP4 localhost 198.51.100.7 4000 25\r\n"
      })
  void wrongVersionOne(String header) {
    assertThatThrownBy(() -> read(header)).isInstanceOf(IOException.class);
  }

  @Test
  void linesEndWithinTheBound() {
    assertThatThrownBy(() -> read("PROXY UNKNOWN " + "x".repeat(92) + "\r\n"))
        .hasMessageContaining("too long");
  }

  @Test
  void versionTwo() throws IOException {
    assertThat(read(two(0x21, 0x11, FOUR))).contains(header("192.0.2.1", 4000, "198.51.100.7", 25));
    var six = " \u0001\r\u00b8" + "\0".repeat(11) + "\u0001";
    assertThat(read(two(0x21, 0x21, six + "\0".repeat(15) + "\u0001" + "\0\u0001\0\u0002")))
        .contains(header("2001:db8::1", 1, "::1", 2));
    assertThat(read(two(0x20, 0x11, FOUR))).isEmpty();
    assertThat(read(two(0x20, 0x00, ""))).isEmpty();
    assertThat(read(two(0x21, 0x00, "anything"))).isEmpty();
    assertThat(read(two(0x21, 0x11, FOUR + "\u0004\0\u0003abc\u0001\0\0"))).isPresent();
    assertThat(read(two(0x20, 0x00, "x".repeat(4096)))).isEmpty();
  }

  @Test
  void checksums() throws IOException {
    var zeros = two(0x21, 0x11, FOUR + "\u0003\0\u0004\0\0\0\0");
    var sum = new CRC32C();
    sum.update(zeros.getBytes(ISO_8859_1));
    long value = sum.getValue();
    var said = new StringBuilder();
    for (int shift = 24; shift >= 0; shift -= 8) {
      said.append((char) (value >> shift & 0xff));
    }
    assertThat(read(zeros.substring(0, zeros.length() - 4) + said)).isPresent();
    assertThatThrownBy(() -> read(zeros)).hasMessageContaining("checksum");
    assertThatThrownBy(() -> read(two(0x21, 0x11, FOUR + "\u0003\0\u0003abc")))
        .hasMessageContaining("checksum");
  }

  @Test
  void wrongVersionTwo() {
    for (var wrong :
        List.of(
            two(0x11, 0x11, FOUR),
            two(0x22, 0x11, FOUR),
            two(0x21, 0x12, FOUR),
            two(0x21, 0x31, FOUR),
            two(0x21, 0x11, FOUR.substring(1)),
            two(0x21, 0x21, FOUR),
            two(0x21, 0x11, FOUR + "\u0004\0"),
            two(0x21, 0x11, FOUR + "\u0004\0\u0002a"),
            two(0x20, 0x00, "x".repeat(4097)))) {
      assertThatThrownBy(() -> read(wrong)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void cutAnywhere() {
    for (var whole :
        List.of(two(0x21, 0x11, FOUR), "PROXY TCP4 192.0.2.1 198.51.100.7 4000 25\r\n")) {
      for (int length = 0; length < whole.length(); length++) {
        var octets = whole.substring(0, length).getBytes(ISO_8859_1);
        assertThatThrownBy(() -> ProxyHeader.read(new ByteArrayInputStream(octets)))
            .isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void arbitraryOctetsAreReadOrNot() {
    long seed = Seed.value();
    var mutator =
        new Mutator(
            seed,
            List.of(
                two(0x21, 0x11, FOUR + "\u0004\0\u0003abc").getBytes(ISO_8859_1),
                "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n".getBytes(ISO_8859_1)));
    int read = 0;
    for (int n = 0; n < 200_000; n++) {
      try {
        read += ProxyHeader.read(new ByteArrayInputStream(mutator.next())).isPresent() ? 1 : 0;
      } catch (IOException e) {
        // No header is one of the answers.
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", input " + n, e);
      }
    }
    assertThat(read).as("seed %d", seed).isPositive();
  }

  @Test
  void networks() {
    var ten = Network.of("10.1.2.3/9").orElseThrow();
    assertThat(ten.contains(InetAddress.ofLiteral("10.127.0.1"))).isTrue();
    assertThat(ten.contains(InetAddress.ofLiteral("10.128.0.1"))).isFalse();
    assertThat(ten.contains(InetAddress.ofLiteral("::1"))).isFalse();
    assertThat(ten.contains(InetAddress.ofLiteral("::ffff:10.1.1.1"))).isTrue();
    var six = Network.of("2001:db8::/33").orElseThrow();
    assertThat(six.contains(InetAddress.ofLiteral("2001:db8:7fff::1"))).isTrue();
    assertThat(six.contains(InetAddress.ofLiteral("2001:db8:8000::1"))).isFalse();
    assertThat(Network.of("0.0.0.0/0").orElseThrow().contains(InetAddress.ofLiteral("9.9.9.9")))
        .isTrue();
    var one = Network.of("192.0.2.1").orElseThrow();
    assertThat(one.contains(InetAddress.ofLiteral("192.0.2.1"))).isTrue();
    assertThat(one.contains(InetAddress.ofLiteral("192.0.2.0"))).isFalse();
  }
}
