package longhand.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import longhand.Seed;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionTest {

  private Socket peer;
  private Connection connection;

  @BeforeEach
  void open() throws IOException {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      peer = new Socket();
      peer.connect(server.getLocalSocketAddress());
      connection = new Connection(server.accept());
    }
    peer.setTcpNoDelay(true);
    connection.timeout(Duration.ofSeconds(5));
  }

  @AfterEach
  void close() throws IOException {
    peer.close();
    connection.close();
  }

  private void send(String text) throws IOException {
    peer.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private String line(int max) throws IOException {
    var line = connection.readLine(max);
    return line == null ? "<closed>" : new String(line, StandardCharsets.ISO_8859_1);
  }

  @Test
  void linesInOneWrite() throws IOException {
    send("one\r\n\r\ntwo\r\n");
    assertThat(line(10)).isEqualTo("one");
    assertThat(connection.lineWaiting()).isTrue();
    assertThat(line(10)).isEmpty();
    assertThat(line(10)).isEqualTo("two");
    assertThat(connection.inputWaiting()).isFalse();
    peer.shutdownOutput();
    assertThat(line(10)).isEqualTo("<closed>");
  }

  @Test
  void linesInPieces() throws Exception {
    var text = "a\r\n" + "b".repeat(600) + "\r\n\r\nlast\r\n";
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                for (int i = 0; i < text.length(); i++) {
                  send(text.substring(i, i + 1));
                }
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    assertThat(line(600)).isEqualTo("a");
    assertThat(line(600)).isEqualTo("b".repeat(600));
    assertThat(line(600)).isEmpty();
    assertThat(line(600)).isEqualTo("last");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 511, 512, 513, 2047, 2048, 5000})
  void aLineAtItsLimit(int length) throws IOException {
    send("x".repeat(length) + "\r\n" + "y".repeat(length + 1) + "\r\n");
    assertThat(line(length)).hasSize(length);
    assertThatThrownBy(() -> line(length)).isInstanceOf(LineTooLongException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "a\nb\r\n", "\rb\r\n", "a\r\r\n", "a\r\0\n", "a\n\r\n"})
  void bareLineEnds(String text) throws IOException {
    send(text);
    assertThatThrownBy(() -> line(100)).isInstanceOf(BareLineEndException.class);
  }

  @Test
  void closedInTheMiddle() throws IOException {
    send("half a line\r");
    peer.shutdownOutput();
    assertThatThrownBy(() -> line(100)).isInstanceOf(EOFException.class);
  }

  @Test
  void timeouts() throws IOException {
    connection.timeout(Duration.ofMillis(100));
    assertThatThrownBy(() -> line(100)).isInstanceOf(SocketTimeoutException.class);
    connection.timeout(Duration.ofSeconds(5));
    connection.deadline(Duration.ofMillis(100));
    assertThatThrownBy(() -> line(100)).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void largeOutputsArriveInOrder() throws Exception {
    var random = new Random(1);
    var sent = new ByteArrayOutputStream();
    var writer =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < 200; i++) {
                      var piece = new byte[random.nextInt(i % 10 == 0 ? 200_000 : 3000)];
                      random.nextBytes(piece);
                      sent.writeBytes(piece);
                      connection.write(piece);
                      if (i % 7 == 0) {
                        connection.flush();
                      }
                    }
                    connection.finish();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
    var got = peer.getInputStream().readAllBytes();
    peer.close();
    writer.join();
    assertThat(got).isEqualTo(sent.toByteArray());
  }

  @Test
  void endingLooksLikeTheEndOfInput() throws Exception {
    var reader = Thread.ofVirtual().start(() -> connectionEnds());
    Thread.sleep(50);
    connection.end();
    assertThat(reader.join(Duration.ofSeconds(5))).isTrue();
    assertThat(connection.ending()).isTrue();
    connection.write("bye\r\n");
    connection.finish();
    assertThat(peer.getInputStream().readAllBytes()).hasSize(5);
  }

  private void connectionEnds() {
    try {
      assertThat(connection.readLine(100)).isNull();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void lineEndsAreFoundWhereverTheyAre() {
    long seed = Seed.value();
    var random = new Random(seed);
    byte[] near = {'\r', '\n', 0, 0x0b, 0x0c, 0x0e, 0x09, (byte) 0x8a, (byte) 0x8d, 'x', -1};
    for (int round = 0; round < 20_000; round++) {
      var octets = new byte[random.nextInt(40)];
      for (int i = 0; i < octets.length; i++) {
        octets[i] = near[random.nextInt(random.nextBoolean() ? near.length : 1) % near.length];
        if (random.nextInt(4) > 0) {
          octets[i] = near[2 + random.nextInt(near.length - 2)];
        }
      }
      int from = octets.length == 0 ? 0 : random.nextInt(octets.length);
      int expected = from;
      while (expected < octets.length && octets[expected] != '\r' && octets[expected] != '\n') {
        expected++;
      }
      assertThat(LineEnds.find(octets, from, octets.length))
          .as("seed %d", seed)
          .isEqualTo(expected);
    }
  }
}
