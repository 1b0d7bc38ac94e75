package longhand.zone;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import longhand.dns.Answer;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.Question;
import longhand.wire.Network;

/// Goes through an SPF record and all that it includes, to count lookups and to see which addresses
/// it lets send. It looks at what is allowed anywhere, not at the order of words: enough to tell an
/// owner that the server is not among it. For one thread and one record.
final class SpfWalk {

  /// RFC 7208 §4.6.4.
  static final int LOOKUPS_MAX = 10;

  private static final int HOSTS_MAX = 10;

  private final Dns dns;
  private final Duration within;
  private final List<Network> allowed = new ArrayList<>();
  private final ArrayDeque<DnsName> toRead = new ArrayDeque<>();
  private final Set<DnsName> read = new HashSet<>();
  private int lookups;
  private boolean everybody;
  private boolean unsure;
  private Optional<String> fault = Optional.empty();

  SpfWalk(Dns dns, Duration within) {
    this.dns = dns;
    this.within = within;
  }

  /// Walks; to be called once.
  ///
  /// @param terms of the record at `domain`
  void walk(DnsName domain, List<SpfTerm> terms) {
    read.add(domain);
    take(domain, terms);
    while (!toRead.isEmpty() && lookups <= LOOKUPS_MAX && fault.isEmpty()) {
      var next = toRead.remove();
      if (read.add(next)) {
        readRecord(next);
      }
    }
  }

  /// Lookups that a receiver has to make; counting ends above ten.
  int lookups() {
    return lookups;
  }

  /// Why receivers cannot use the record, in words about what it includes.
  Optional<String> fault() {
    return fault;
  }

  /// Whether it lets everybody send.
  boolean everybody() {
    return everybody;
  }

  /// Whether the record lets an address send, or may: what cannot be known counts as may.
  boolean allows(InetAddress address) {
    return unsure || everybody || allowed.stream().anyMatch(each -> each.contains(address));
  }

  private void readRecord(DnsName name) {
    switch (dns.ask(new Question.Txt(name), within)) {
      case Answer.Found<String> found -> {
        var records = found.records().stream().filter(SpfTerm::isRecord).toList();
        if (records.size() != 1) {
          fault = Optional.of("uses " + name + ", which has " + records.size() + " SPF records");
          return;
        }
        switch (SpfTerm.read(records.getFirst())) {
          case SpfTerm.Terms(var terms) -> take(name, terms);
          case SpfTerm.Malformed(var why) ->
              fault = Optional.of("uses " + name + ", whose record " + why);
        }
      }
      case Answer.NoSuchName<String> _, Answer.NoSuchData<String> _ ->
          fault = Optional.of("uses " + name + ", which has no SPF record");
      case Answer.Failed<String> _ -> unsure = true;
    }
  }

  private void take(DnsName domain, List<SpfTerm> terms) {
    for (var term : terms) {
      if (term.looksUp() && ++lookups > LOOKUPS_MAX) {
        return;
      }
      var name = term.value().map(DnsName::parse).orElse(Optional.of(domain));
      switch (term.name()) {
        case "all" -> everybody |= term.qualifier() == '+';
        case "ip4", "ip6" -> {
          if (term.qualifier() == '+') {
            term.value().flatMap(Network::of).ifPresent(allowed::add);
          }
        }
        case "a" -> name.ifPresentOrElse(host -> addresses(term, host), () -> unsure = true);
        case "mx" -> name.ifPresentOrElse(host -> exchangers(term, host), () -> unsure = true);
        case "include", "redirect" -> name.ifPresentOrElse(toRead::add, () -> unsure = true);
        case "ptr", "exists" -> unsure = true;
        default -> {} // a modifier that allows nothing
      }
    }
  }

  private void exchangers(SpfTerm term, DnsName domain) {
    switch (dns.ask(new Question.Mx(domain), within)) {
      case Answer.Found<longhand.dns.MailExchange> found ->
          found.records().stream()
              .limit(HOSTS_MAX)
              .filter(each -> !each.host().equals(DnsName.ROOT))
              .forEach(each -> addresses(term, each.host()));
      case Answer.Failed<longhand.dns.MailExchange> _ -> unsure = true;
      case Answer.NoSuchName<longhand.dns.MailExchange> _,
          Answer.NoSuchData<longhand.dns.MailExchange> _ -> {}
    }
  }

  private void addresses(SpfTerm term, DnsName host) {
    if (term.qualifier() != '+') {
      return;
    }
    networks(dns.ask(new Question.A(host), within), term.prefix4());
    networks(dns.ask(new Question.Aaaa(host), within), term.prefix6());
  }

  private <T extends InetAddress> void networks(Answer<T> answer, int prefix) {
    switch (answer) {
      case Answer.Found<T> found ->
          found.records().forEach(each -> allowed.add(new Network(each, prefix)));
      case Answer.Failed<T> _ -> unsure = true;
      case Answer.NoSuchName<T> _, Answer.NoSuchData<T> _ -> {}
    }
  }
}
