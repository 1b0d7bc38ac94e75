package longhand.relay;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import longhand.dialog.Dialog;
import longhand.wire.TlsContext;
import org.jspecify.annotations.Nullable;

/// A server that has one conversation as written, in the words of [Dialog] seen from the other
/// side: `S: text` is said with CRLF, `S+ text` without; `C: text` is the next line of the client,
/// `*` in it any text, `C: <closed>` its end; `TLS` takes up TLS; `~` says nothing until the client
/// goes. After the last line it closes.
final class ScriptedServer implements AutoCloseable {

  private final ServerSocket server;
  private final CompletableFuture<String> problem = new CompletableFuture<>();

  /// @param octetsMax after how many octets of its own it ends, whatever the script has left
  /// @param silent whether it then stays, silent, instead of closing
  ScriptedServer(String script, TlsContext tls, int octetsMax, boolean silent) throws IOException {
    server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    Thread.ofVirtual()
        .start(
            () -> {
              try (var socket = server.accept()) {
                socket.setSoTimeout(10_000);
                socket.setTcpNoDelay(true);
                problem.complete(new Play(socket, tls, octetsMax, silent).run(script));
              } catch (IOException | RuntimeException e) {
                problem.complete(e.toString());
              }
            });
  }

  ScriptedServer(String script, TlsContext tls) throws IOException {
    this(script, tls, Integer.MAX_VALUE, false);
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /// What the client did otherwise than written; empty when nothing.
  String problem() throws Exception {
    return problem.get(15, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private static final class Play {
    private Socket socket;
    private InputStream in;
    private OutputStream out;
    private final TlsContext tls;
    private int octetsLeft;
    private final boolean silent;

    Play(Socket socket, TlsContext tls, int octetsMax, boolean silent) throws IOException {
      this.socket = socket;
      this.in = new BufferedInputStream(socket.getInputStream());
      this.out = socket.getOutputStream();
      this.tls = tls;
      this.octetsLeft = octetsMax;
      this.silent = silent;
    }

    String run(String script) throws IOException {
      for (var step : script.lines().toList()) {
        if (step.startsWith("S: ") || step.startsWith("S+ ")) {
          var octets = Dialog.octets(step.substring(3) + (step.charAt(1) == ':' ? "\\r\\n" : ""));
          int n = Math.min(octets.length, octetsLeft);
          out.write(octets, 0, n);
          octetsLeft -= n;
          if (n < octets.length) {
            if (silent) {
              in.transferTo(OutputStream.nullOutputStream());
            }
            return "";
          }
        } else if (step.startsWith("C: ")) {
          var line = line();
          var seen = line == null ? "<closed>" : line;
          if (!Dialog.matches(step.substring(3), seen)) {
            return "expected " + step.substring(3) + ", was " + seen;
          }
        } else if (step.equals("TLS")) {
          var secure = (SSLSocket) tls.get().getSocketFactory().createSocket(socket, null, 0, true);
          secure.setUseClientMode(false);
          secure.startHandshake();
          socket = secure;
          in = new BufferedInputStream(socket.getInputStream());
          out = socket.getOutputStream();
        } else if (step.equals("~")) {
          in.transferTo(OutputStream.nullOutputStream());
        } else {
          throw new IllegalArgumentException(step);
        }
      }
      return "";
    }

    private @Nullable String line() throws IOException {
      var line = new ByteArrayOutputStream();
      for (int octet = in.read(); octet >= 0; octet = in.read()) {
        if (octet == '\n') {
          var text = line.toString(StandardCharsets.UTF_8);
          return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text + "<no CR>";
        }
        line.write(octet);
      }
      return line.size() == 0 ? null : line + "<no CRLF>";
    }
  }
}
