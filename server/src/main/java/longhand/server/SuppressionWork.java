package longhand.server;

import java.util.function.Consumer;
import longhand.mail.Address;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;
import longhand.sending.SendingRecords;
import longhand.sending.Suppression;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What `longhand suppression` asks, of the running server or of this process, one JSON object a
/// line:
///
///     {"command":"suppression","do":"list","account":"alice@example.com"}
///     {"command":"suppression","do":"add","account":"...","address":"...","days":30,"why":"..."}
///     {"command":"suppression","do":"remove","account":"...","address":"..."}
///
/// Each suppression it tells of is a line with a JSON object, before the answer.
final class SuppressionWork {

  private static final JsonMapper JSON = new JsonMapper();
  private static final EnhancedStatus BY_HAND = new EnhancedStatus(5, 1, 1);

  private final SendingRecords sending;

  SuppressionWork(SendingRecords sending) {
    this.sending = sending;
  }

  /// The answer to a request, `told` before it. What is changed is on the disk then.
  String answer(JsonNode request, Consumer<Told> told) {
    var answer = JSON.createObjectNode();
    try {
      answer.put("exit", run(request, told));
    } catch (IllegalArgumentException e) {
      answer.put("exit", ExitCode.SOFTWARE).put("error", "not such a request");
    }
    return answer.toString();
  }

  private int run(JsonNode request, Consumer<Told> told) {
    var account = address(request.path("account").asString(""));
    switch (request.path("do").asString("")) {
      case "list" -> sending.suppressions(account).forEach(each -> tell(each, told));
      case "add" -> {
        var address = address(request.path("address").asString(""));
        int days = request.path("days").asInt(1);
        var why = request.path("why").asString("");
        tell(sending.suppress(account, address, days, BY_HAND, why), told);
        return sending.write() ? ExitCode.OK : ExitCode.IO;
      }
      case "remove" -> {
        if (!sending.allow(account, address(request.path("address").asString("")))) {
          return ExitCode.NO_USER;
        }
        return sending.write() ? ExitCode.OK : ExitCode.IO;
      }
      default -> {
        return ExitCode.SOFTWARE;
      }
    }
    return ExitCode.OK;
  }

  private static void tell(Suppression suppression, Consumer<Told> told) {
    told.accept(
        new Told.Line(
            JSON.createObjectNode()
                .put("address", suppression.address().toString())
                .put("since", suppression.since().toString())
                .put("until", suppression.until().toString())
                .put("status", suppression.status().toString())
                .put("words", suppression.words())
                .toString()));
  }

  private static Address address(String text) {
    int at = text.lastIndexOf('@');
    return new Address(text.substring(0, Math.max(at, 0)), new Domain(text.substring(at + 1)));
  }
}
