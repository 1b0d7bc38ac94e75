package longhand.server;

import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import longhand.wire.ControlSocket;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The server that has a data folder open, as commands meet it: asked over its control socket, one
/// JSON object to ask and one for an answer.
final class RunningServer {

  private RunningServer() {}

  /// The answer; empty when no server runs.
  ///
  /// @param told hears of work that takes long
  /// @throws CommandException when the server says what is wrong
  static Optional<JsonNode> ask(Config config, JsonNode request, Consumer<Told> told)
      throws IOException, CommandException {
    var line =
        ControlSocket.ask(
            Server.controlSocket(config),
            request.toString(),
            text -> told.accept(Told.ofLine(text)));
    if (line.isEmpty()) {
      return Optional.empty();
    }
    JsonNode answer;
    try {
      answer = new JsonMapper().readTree(line.get());
    } catch (JacksonException e) {
      throw new IOException("the server answers what is no JSON", e);
    }
    var error = answer.get("error");
    if (error != null) {
      throw new CommandException(
          answer.path("exit").asInt(ExitCode.SOFTWARE), "the server says: " + error.asString());
    }
    return Optional.of(answer);
  }
}
