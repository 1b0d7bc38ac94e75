package longhand.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import longhand.mail.Address;
import longhand.queue.Queue;
import longhand.queue.QueueEntry;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What `longhand queue` asks of the running server, one JSON object a line:
///
///     {"command":"queue","do":"list","to":"example.net"}
///     {"command":"queue","do":"retry","ids":["7k2p0c"]}
///
/// Each message it tells of is a line with a JSON object, before the answer.
final class QueueWork {

  private static final JsonMapper JSON = new JsonMapper();

  private final Queue queue;

  QueueWork(Queue queue) {
    this.queue = queue;
  }

  /// The answer to a request, `told` before it.
  String answer(JsonNode request, Consumer<Told> told) {
    var answer = JSON.createObjectNode();
    try {
      answer.put("exit", run(request, told));
    } catch (IOException e) {
      answer.put("exit", ExitCode.IO).put("error", String.valueOf(e.getMessage()));
    }
    return answer.toString();
  }

  private int run(JsonNode request, Consumer<Told> told) throws IOException {
    var what = request.path("do").asString("");
    var wanted = filter(request);
    if (what.equals("list")) {
      queue.list(
          entry -> {
            if (wanted.test(entry)) {
              told.accept(new Told.Line(json(entry).toString()));
            }
          });
      return ExitCode.OK;
    }
    var order = order(what);
    if (order.isEmpty()) {
      return ExitCode.SOFTWARE;
    }
    var ids = new ArrayList<String>();
    var named = new ArrayList<String>();
    request.path("ids").forEach(id -> named.add(id.asString("")));
    if (named.isEmpty()) {
      queue.list(
          entry -> {
            if (wanted.test(entry)) {
              ids.add(entry.id());
            }
          });
    } else {
      ids.addAll(named);
    }
    var done = queue.order(ids, order.get());
    for (var id : ids) {
      told.accept(
          new Told.Line(
              JSON.createObjectNode().put("id", id).put("done", done.contains(id)).toString()));
    }
    return done.containsAll(ids) ? ExitCode.OK : ExitCode.UNAVAILABLE;
  }

  private static Optional<Queue.Order> order(String what) {
    for (var order : Queue.Order.values()) {
      if (order.name().toLowerCase(Locale.ROOT).equals(what)) {
        return Optional.of(order);
      }
    }
    return Optional.empty();
  }

  /// Messages to and from the addresses or domains that are named, in that state.
  private static Predicate<QueueEntry> filter(JsonNode request) {
    var to = request.path("to").asString("");
    var from = request.path("from").asString("");
    var state = request.path("state").asString("");
    var ids = new ArrayList<String>();
    request.path("ids").forEach(id -> ids.add(id.asString("")));
    return entry ->
        (ids.isEmpty() || ids.contains(entry.id()))
            && (state.isEmpty() || entry.state().name().equalsIgnoreCase(state))
            && (from.isEmpty()
                || entry.envelope().from().address().filter(each -> is(each, from)).isPresent())
            && (to.isEmpty() || entry.waiting().stream().anyMatch(each -> is(each.address(), to)));
  }

  private static boolean is(Address address, String wanted) {
    return wanted.indexOf('@') < 0
        ? address.domain().name().equalsIgnoreCase(wanted)
        : address.toString().equalsIgnoreCase(wanted);
  }

  private static ObjectNode json(QueueEntry entry) {
    var json = JSON.createObjectNode();
    json.put("id", entry.id());
    json.put("state", entry.state().name().toLowerCase(Locale.ROOT));
    json.put("arrived", entry.arrived().toString());
    entry.account().ifPresent(account -> json.put("account", account.toString()));
    json.put("from", entry.envelope().from().address().map(Address::toString).orElse(""));
    json.put("octets", entry.octets());
    json.put("recipients", entry.envelope().to().size());
    json.put("next", entry.next().toString());
    var waiting = json.putArray("waiting");
    for (var each : entry.waiting()) {
      var one = waiting.addObject();
      one.put("to", each.address().toString());
      one.put("attempts", each.attempts());
      one.put("next", each.next().toString());
      each.last()
          .ifPresent(
              last ->
                  one.put("last", last.at().toString())
                      .put("status", last.status().toString())
                      .put("server", last.server())
                      .put("reply", last.words()));
    }
    return json;
  }
}
