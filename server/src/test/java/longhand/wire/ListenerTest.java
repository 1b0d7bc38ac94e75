package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
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
        new Listener.Bounds(max, perSource, perMinute, free, Duration.ofSeconds(5)));
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
}
