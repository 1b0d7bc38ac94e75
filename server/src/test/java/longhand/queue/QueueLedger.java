package longhand.queue;

import static org.junit.jupiter.api.Assertions.fail;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import longhand.mail.Address;
import longhand.mail.ReversePath;

/// What is known of messages outside the queue, and what follows from it (invariant I8): each
/// recipient of an accepted message has it, or its sender was told that it failed, or it still
/// waits; a message that was not accepted is there as a whole or not at all. Sent twice is only
/// what may be: the server's reply was lost, or we went down before it was written down.
final class QueueLedger {

  private static final Duration EXPIRY = Duration.ofDays(5);

  /// A message that was handed in.
  ///
  /// @param accepted whether whoever handed it in was told so
  /// @param here accounts of ours that it is for
  record Message(
      String subject,
      ReversePath from,
      Instant handedIn,
      boolean accepted,
      List<Address> here,
      List<Address> elsewhere) {}

  private final Map<String, Message> messages = new LinkedHashMap<>();

  /// How many of the arrivals are known to be written down, and those that may not be.
  private int recorded;

  private final Set<Integer> unrecorded = new HashSet<>();

  void add(Message message) {
    messages.put(message.subject, message);
  }

  /// All that came of tries so far is written down.
  void recorded(SimServers servers) {
    recorded = servers.arrivals.size();
  }

  /// We went down: what came of tries since then may be written down, or not.
  void wentDown(SimServers servers) {
    for (; recorded < servers.arrivals.size(); recorded++) {
      unrecorded.add(recorded);
    }
  }

  /// What accounts here hold, as whole messages.
  interface Accounts {
    List<String> of(Address account) throws Exception;
  }

  /// Compares while some recipients still wait: those.
  ///
  /// @param latest the latest time that any clock showed
  void judge(SimServers servers, Accounts accounts, Set<Address> waiting, Instant latest)
      throws Exception {
    var told = told(servers, accounts);
    var kept = new HashMap<Address, List<String>>();
    for (var message : messages.values()) {
      for (var account : message.here) {
        if (!kept.containsKey(account)) {
          kept.put(account, accounts.of(account));
        }
      }
    }
    for (var message : messages.values()) {
      int there = 0;
      int unheardOf = 0;
      for (var account : message.here) {
        int copies = copies(message, kept.getOrDefault(account, List.of()));
        if (copies > 1) {
          fail(account + " has " + message.subject + " " + copies + " times");
        }
        there += copies;
      }
      for (var to : message.elsewhere) {
        switch (judge(message, to, servers, told.getOrDefault(to, 0), waiting, latest)) {
          case THERE -> there++;
          case NOT_THERE -> {}
          case UNHEARD_OF -> unheardOf++;
        }
      }
      int all = message.here.size() + message.elsewhere.size();
      if (there + unheardOf < all && (message.accepted || there > 0)) {
        fail(
            "%s was%s accepted and is there for %d of its %d recipients"
                .formatted(message.subject, message.accepted ? "" : " not", there, all));
      }
    }
  }

  /// Whether a recipient's message was there, as far as its traces tell.
  private enum Trace {
    THERE,
    NOT_THERE,
    /// It failed, perhaps, of which nobody is told since nobody sent it.
    UNHEARD_OF
  }

  private Trace judge(
      Message message,
      Address to,
      SimServers servers,
      int told,
      Set<Address> waiting,
      Instant latest) {
    boolean arrived = false;
    boolean taken = false;
    for (int i = 0; i < servers.arrivals.size(); i++) {
      var arrival = servers.arrivals.get(i);
      if (!arrival.to().equals(to)) {
        continue;
      }
      if (taken) {
        fail(to + " was sent its message again, though a server had taken it and said so");
      }
      arrived = true;
      taken = arrival.answered() && !unrecorded.contains(i);
    }
    if (told > 1) {
      fail(message.from + " was told " + told + " times that " + to + " failed");
    }
    if (taken && told > 0) {
      fail(to + " has its message, and its sender was told that it failed");
    }
    boolean waits = waiting.contains(to);
    if (waits && (taken || told > 0)) {
      fail(to + " has come to its end and still waits");
    }
    boolean perhapsTaken =
        servers.arrivals.stream().anyMatch(each -> each.to().equals(to) && each.answered());
    boolean mayFail =
        servers.refused.contains(to)
            || to.domain().equals(SimServers.UNNAMED)
            || !latest.isBefore(message.handedIn.plus(EXPIRY));
    if (told > 0 && !mayFail) {
      fail(to + " was given up without a reason");
    }
    boolean unheard = message.from.address().isEmpty() && mayFail;
    if (message.accepted && !perhapsTaken && told == 0 && !waits && !unheard) {
      fail(
          to
              + (arrived
                  ? " was given up after a reply that never came, and nobody was told"
                  : " was accepted, did not arrive, and nobody was told"));
    }
    return arrived || told > 0 || waits
        ? Trace.THERE
        : unheard ? Trace.UNHEARD_OF : Trace.NOT_THERE;
  }

  private static int copies(Message message, List<String> texts) {
    int copies = 0;
    for (var text : texts) {
      copies +=
          text.contains("\r\nSubject: " + message.subject + "\r\n") && !isReport(text) ? 1 : 0;
    }
    return copies;
  }

  private static boolean isReport(String text) {
    return text.contains("report-type=delivery-status");
  }

  /// How often senders were told of a recipient that it failed: here, and elsewhere, where the same
  /// report may come twice.
  private Map<Address, Integer> told(SimServers servers, Accounts accounts) throws Exception {
    var reports = new ArrayList<String>();
    for (var text : accounts.of(TestQueue.SENDER)) {
      if (isReport(text)) {
        reports.add(text);
      }
    }
    var seen = new HashSet<String>();
    for (var arrival : servers.arrivals) {
      if (arrival.to().domain().equals(SimServers.AWAY) && seen.add(messageId(arrival.text()))) {
        reports.add(arrival.text());
      }
    }
    var told = new HashMap<Address, Integer>();
    for (var report : reports) {
      for (var part : report.split("Final-Recipient: rfc822; ", -1)) {
        int end = part.indexOf("\r\nAction: failed\r\n");
        if (end > 0 && part.indexOf('\r') == end) {
          told.merge(TestQueue.to(part.substring(0, end)).address(), 1, Integer::sum);
        }
      }
    }
    return told;
  }

  private static String messageId(String report) {
    int at = report.indexOf("Message-ID: ");
    return report.substring(at, report.indexOf('\r', at));
  }
}
