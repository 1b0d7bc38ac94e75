package longhand.dialog;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// A scripted conversation, read from a file under `dialogs/`. Its lines:
/// - `# text` is a comment; `# key: value` at the top says things about the script (`listener`,
///   `pace: whole` when it must not be pipelined or cut).
/// - `C: text` is sent with CRLF, `C+ text` without. `\r`, `\n`, `\0`, `\\` and `\xHH` are octets,
///   `\{x*N}` is N times `x`.
/// - `S: text` is the next line of the server; `*` in it is any text. `S: <closed>` is the end.
/// - `--` waits for all answers so far also when pipelined; `TLS` takes up TLS.
public final class Dialog {

  /// How what the client says is cut into writes.
  public enum Pace {
    /// A write for each line, each answer awaited.
    WHOLE,
    /// A write for each octet.
    OCTETS,
    /// One write for all that needs no answer first.
    PIPELINED
  }

  private record Step(int line, char kind, String text) {}

  private final Path file;
  private final List<String> comments = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();

  private Dialog(Path file) {
    this.file = file;
  }

  /// The script in a file; a line that is none of the kinds is an `IllegalArgumentException`.
  public static Dialog read(Path file) {
    var dialog = new Dialog(file);
    try {
      int number = 0;
      for (var line : Files.readAllLines(file)) {
        number++;
        if (line.startsWith("#")) {
          dialog.comments.add(line.substring(1).strip());
        } else if (line.equals("--") || line.equals("TLS")) {
          dialog.steps.add(new Step(number, line.charAt(0), ""));
        } else if (line.startsWith("C: ") || line.equals("C:")) {
          var text = line.length() > 3 ? line.substring(3) : "";
          dialog.steps.add(new Step(number, 'C', text + "\\r\\n"));
        } else if (line.startsWith("C+ ")) {
          dialog.steps.add(new Step(number, 'C', line.substring(3)));
        } else if (line.startsWith("S: ") || line.equals("S:")) {
          dialog.steps.add(new Step(number, 'S', line.length() > 3 ? line.substring(3) : ""));
        } else if (!line.isBlank()) {
          throw new IllegalArgumentException(file + ":" + number + ": " + line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return dialog;
  }

  /// All scripts in a folder under `dialogs/`, by name.
  public static List<Dialog> all(String folder) {
    URL url = Dialog.class.getResource("/dialogs/" + folder);
    if (url == null) {
      throw new IllegalArgumentException("no folder dialogs/" + folder);
    }
    try (var files = Files.list(Path.of(url.toURI()))) {
      return files.filter(f -> f.toString().endsWith(".txt")).sorted().map(Dialog::read).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The value of a `# key: value` comment.
  public Optional<String> value(String key) {
    return comments.stream()
        .filter(comment -> comment.startsWith(key + ":"))
        .map(comment -> comment.substring(key.length() + 1).strip())
        .findFirst();
  }

  /// Whether the script has something to say about TLS itself.
  public boolean startsTls() {
    return steps.stream().anyMatch(step -> step.kind == 'T');
  }

  /// Has the conversation. What the server says instead of what is written is an `AssertionError`
  /// with the line.
  ///
  /// @param tls for `TLS` lines
  public void play(Socket socket, Pace pace, SSLContext tls) throws IOException {
    new Play(socket, pace, tls).run();
  }

  @Override
  public String toString() {
    return String.valueOf(file.getFileName());
  }

  private final class Play {
    private Socket socket;
    private InputStream in;
    private final Pace pace;
    private final SSLContext tls;
    private final ByteArrayOutputStream unsent = new ByteArrayOutputStream();
    private final List<Step> awaited = new ArrayList<>();
    private final StringBuilder transcript = new StringBuilder();

    Play(Socket socket, Pace pace, SSLContext tls) throws IOException {
      this.socket = socket;
      this.pace = pace;
      this.tls = tls;
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(8_000);
      in = new BufferedInputStream(socket.getInputStream());
    }

    void run() throws IOException {
      for (var step : steps) {
        switch (step.kind) {
          case 'C' -> {
            send(octets(step.text));
            transcript.append("C: ").append(step.text).append('\n');
          }
          case 'S' -> {
            awaited.add(step);
            if (pace != Pace.PIPELINED) {
              await();
            }
          }
          case '-' -> await();
          case 'T' -> {
            await();
            var secure = (SSLSocket) tls.getSocketFactory().createSocket(socket, null, 0, true);
            secure.startHandshake();
            socket = secure;
            in = new BufferedInputStream(socket.getInputStream());
          }
          default -> throw new IllegalStateException();
        }
      }
      await();
    }

    private void send(byte[] octets) throws IOException {
      if (pace == Pace.PIPELINED) {
        unsent.writeBytes(octets);
        return;
      }
      if (pace == Pace.WHOLE) {
        socket.getOutputStream().write(octets);
        return;
      }
      for (byte octet : octets) {
        try {
          socket.getOutputStream().write(octet);
        } catch (SocketException e) {
          // The server may close in the middle of what it does not like; its answer tells.
          return;
        }
      }
    }

    private void await() throws IOException {
      if (unsent.size() > 0) {
        socket.getOutputStream().write(unsent.toByteArray());
        unsent.reset();
      }
      for (var step : awaited) {
        var line = line();
        transcript.append("S: ").append(line).append('\n');
        boolean fits =
            step.text.equals("<closed>") ? line == null : line != null && matches(step.text, line);
        if (!fits) {
          throw new AssertionError(
              file.getFileName()
                  + ":"
                  + step.line
                  + " ("
                  + pace
                  + "): expected "
                  + step.text
                  + "\n     but was "
                  + line
                  + "\n"
                  + transcript);
        }
      }
      awaited.clear();
    }

    private @Nullable String line() throws IOException {
      var line = new ByteArrayOutputStream();
      while (true) {
        int octet;
        try {
          octet = in.read();
        } catch (SocketException e) {
          octet = -1;
        }
        if (octet < 0) {
          return line.size() == 0 ? null : line.toString(StandardCharsets.UTF_8) + "<no CRLF>";
        }
        if (octet == '\n') {
          var text = line.toString(StandardCharsets.UTF_8);
          return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text + "<no CR>";
        }
        line.write(octet);
      }
    }
  }

  /// The octets of a line of a script.
  public static byte[] octets(String text) {
    var out = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      if (point != '\\') {
        out.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      char escape = text.charAt(i++);
      switch (escape) {
        case 'r' -> out.write('\r');
        case 'n' -> out.write('\n');
        case '0' -> out.write(0);
        case '\\' -> out.write('\\');
        case 'x' -> {
          out.write(Integer.parseInt(text.substring(i, i + 2), 16));
          i += 2;
        }
        case '{' -> {
          int star = text.indexOf('*', i + 1);
          int end = text.indexOf('}', star);
          var piece = octets(text.substring(i, star));
          for (int n = Integer.parseInt(text.substring(star + 1, end)); n > 0; n--) {
            out.writeBytes(piece);
          }
          i = end + 1;
        }
        default -> throw new IllegalArgumentException("escape in " + text);
      }
    }
    return out.toByteArray();
  }

  /// Whether a line is as the pattern says, `*` being any text.
  public static boolean matches(String pattern, String line) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      return pattern.equals(line);
    }
    if (!line.startsWith(pattern.substring(0, star))) {
      return false;
    }
    var rest = pattern.substring(star + 1);
    for (int i = star; i <= line.length(); i++) {
      if (matches(rest, line.substring(i))) {
        return true;
      }
    }
    return false;
  }
}
