package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListenerTest {

  /// Greets with `+` and gives back each octet; refuses with the first letter of the reason's last
  /// word.
  private static final class Echo implements Listener.Protocol {
    @Override
    public void serve(Connection connection) throws IOException {
      connection.write("+");
      connection.flush();
      for (int octet = connection.read(); octet >= 0; octet = connection.read()) {
        if (octet == '!') {
          throw new IllegalStateException("a mistake that the test wants");
        }
        connection.write(new byte[] {(byte) octet});
        connection.flush();
      }
    }

    @Override
    public void refuse(Connection connection, Listener.Refusal refusal) throws IOException {
      connection.write(
          switch (refusal) {
            case TOO_MANY -> "M";
            case TOO_MANY_FROM_SOURCE -> "S";
            case TOO_OFTEN -> "O";
          });
      connection.flush();
    }
  }

  private static Listener open(int max, int perSource, int perMinute, boolean free)
      throws IOException {
    return Listener.open(
        "echo",
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        new Echo(),
        new Listener.Bounds(max, perSource, perMinute, free, Duration.ofSeconds(5)),
        Proxies.NONE);
  }

  private static Socket connect(Listener listener) throws IOException {
    var socket = new Socket();
    socket.connect(listener.address());
    socket.setSoTimeout(5000);
    return socket;
  }

  private static char first(Socket socket) throws IOException {
    return (char) socket.getInputStream().read();
  }

  @Test
  void connectionsInAll() throws Exception {
    try (var listener = open(2, 100, 100, false);
        var one = connect(listener)) {
      assertThat(first(one)).isEqualTo('+');
      try (var two = connect(listener);
          var three = connect(listener)) {
        assertThat(first(two)).isEqualTo('+');
        assertThat(first(three)).isEqualTo('M');
        assertThat(three.getInputStream().read()).isEqualTo(-1);
        assertThat(listener.stressed()).isTrue();
      }
      awaitOpen(listener, 1);
      try (var four = connect(listener)) {
        assertThat(first(four)).isEqualTo('+');
      }
      assertThat(listener.counts().refused.sum()).isEqualTo(1);
    }
  }

  private static void awaitOpen(Listener listener, int count) throws InterruptedException {
    for (int i = 0; i < 500 && listener.connections() != count; i++) {
      Thread.sleep(10);
    }
    assertThat(listener.connections()).isEqualTo(count);
  }

  @Test
  void connectionsFromOneSource() throws Exception {
    try (var listener = open(100, 1, 100, false);
        var one = connect(listener);
        var two = connect(listener)) {
      assertThat(first(one)).isEqualTo('+');
      assertThat(first(two)).isEqualTo('S');
    }
  }

  @Test
  void newConnectionsAMinute() throws Exception {
    try (var listener = open(100, 100, 2, false)) {
      for (char expected : new char[] {'+', '+', 'O', 'O'}) {
        try (var socket = connect(listener)) {
          assertThat(first(socket)).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void loopbackMayBeFree() throws Exception {
    try (var listener = open(100, 1, 1, true);
        var one = connect(listener);
        var two = connect(listener)) {
      assertThat(first(one)).isEqualTo('+');
      assertThat(first(two)).isEqualTo('+');
    }
  }

  @Test
  void aMistakeEndsItsSessionOnly() throws Exception {
    try (var listener = open(100, 100, 100, false);
        var one = connect(listener);
        var two = connect(listener)) {
      first(one);
      first(two);
      one.getOutputStream().write('!');
      assertThat(one.getInputStream().read()).isEqualTo(-1);
      two.getOutputStream().write('x');
      assertThat(first(two)).isEqualTo('x');
    }
  }

  @Test
  void closingEndsSessionsAndThePort() throws Exception {
    var listener = open(100, 100, 100, false);
    try (var one = connect(listener)) {
      first(one);
      long began = System.nanoTime();
      listener.close(Duration.ofSeconds(5));
      assertThat(System.nanoTime() - began).isLessThan(2_000_000_000L);
      assertThat(one.getInputStream().read()).isEqualTo(-1);
      assertThatThrownBy(() -> connect(listener)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void addresses() {
    assertThat(Listener.address("127.0.0.1:25").getPort()).isEqualTo(25);
    assertThat(Listener.address("[::1]:25").getAddress().getHostAddress()).contains(":1");
    assertThat(Listener.address("[::]:25").getAddress().isAnyLocalAddress()).isTrue();
    assertThat(Listener.address(":0").getAddress().isAnyLocalAddress()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "a:65536", "::1:25"})
  void wrongAddresses(String text) {
    assertThatThrownBy(() -> Listener.address(text)).isInstanceOf(IllegalArgumentException.class);
  }

  /// Says for whom a connection is, and counts in what sources there are.
  private static final class Names implements Listener.Protocol {
    @Override
    public void serve(Connection connection) throws IOException {
      connection.write(
          connection.peer()
              + " "
              + connection.local()
              + " "
              + connection.trusted()
              + " "
              + (char) connection.read());
      connection.flush();
      connection.read();
    }

    @Override
    public void refuse(Connection connection, Listener.Refusal refusal) throws IOException {
      connection.write(refusal.name());
      connection.flush();
    }
  }

  private static Listener open(Proxies proxies) throws IOException {
    return Listener.open(
        "names",
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        new Names(),
        new Listener.Bounds(100, 1, 100, false, Duration.ofSeconds(5)),
        proxies);
  }

  private static Proxies proxies(String network) {
    return new Proxies(true, List.of(Network.of(network).orElseThrow()));
  }

  private static Socket say(Listener listener, String text) throws IOException {
    var socket = connect(listener);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    return socket;
  }

  private static String heard(Socket socket) throws IOException {
    socket.shutdownOutput();
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  /// The client's address is what bounds and logs see, and nothing of the header is left.
  @Test
  void proxiesSpeakForClients() throws Exception {
    var header = "PROXY TCP4 192.0.2.%d 198.51.100.7 4000 25\r\nx";
    try (var listener = open(proxies("127.0.0.0/8"));
        var one = say(listener, header.formatted(1));
        var two = say(listener, header.formatted(2))) {
      assertThat(heard(two)).isEqualTo("/192.0.2.2:4000 /198.51.100.7:25 false x");
      awaitOpen(listener, 1);
      // The first client's connection is still there.
      try (var again = say(listener, header.formatted(1))) {
        assertThat(heard(again)).isEqualTo("TOO_MANY_FROM_SOURCE");
      }
      assertThat(heard(one)).isEqualTo("/192.0.2.1:4000 /198.51.100.7:25 false x");
      awaitOpen(listener, 0);
      try (var again = say(listener, header.formatted(1))) {
        assertThat(heard(again)).startsWith("/192.0.2.1:4000");
      }
      assertThat(listener.counts().accepted.sum()).isEqualTo(3);
      assertThat(listener.counts().refused.sum()).isEqualTo(1);
    }
  }

  @Test
  void proxiesThatSpeakForThemselves() throws Exception {
    try (var listener = open(proxies("127.0.0.1"));
        var socket = say(listener, "PROXY UNKNOWN\r\nx")) {
      assertThat(heard(socket)).startsWith("/127.0.0.1:").endsWith(" false x");
    }
  }

  @Test
  void withoutAHeaderAProxyIsRefused() throws Exception {
    try (var listener = open(proxies("127.0.0.0/8"))) {
      for (var text : new String[] {"EHLO client.example\r\n", "", "PROXY TCP4 192.0.2.1"}) {
        try (var socket = say(listener, text)) {
          assertThat(heard(socket)).isEmpty();
        } catch (SocketException e) {
          // Closed while octets of ours were unread: refused all the same.
          assertThat(e).hasMessageContaining("reset");
        }
      }
      awaitOpen(listener, 0);
      assertThat(listener.counts().refused.sum()).isEqualTo(3);
      assertThat(listener.counts().accepted.sum()).isZero();
    }
  }

  @Test
  void othersHaveNoHeader() throws Exception {
    try (var listener = open(proxies("192.0.2.0/24"));
        var socket = say(listener, "PROXY TCP4 192.0.2.1 198.51.100.7 4000 25\r\n")) {
      // The header is the first thing the protocol reads, which will not like it.
      assertThat(heard(socket)).startsWith("/127.0.0.1:").endsWith(" false P");
    }
    var withoutHeaders = new Proxies(false, List.of(Network.of("127.0.0.1").orElseThrow()));
    try (var listener = open(withoutHeaders);
        var socket = say(listener, "x")) {
      assertThat(heard(socket)).startsWith("/127.0.0.1:").endsWith(" true x");
    }
  }
}
