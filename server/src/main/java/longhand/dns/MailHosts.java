package longhand.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import longhand.mail.Domain;
import longhand.mail.EnhancedStatus;

/// Finds the hosts that take mail for a domain (RFC 5321 §5.1): MX records by preference, those of
/// equal preference in random order, or the domain's own address when it has no MX record; a null
/// MX (RFC 7505) and an address literal are obeyed.
/// - A name of ours, or an address of ours, among the MX records takes away all of equal or worse
///   preference: those behind us would send the mail back.
/// - An alias is followed wherever it stands. RFC 5321 §5.1 leaves what happens to an MX record
///   that leads to one to the sender.
/// - When some hosts cannot be looked up, the others are tried; when none is left, it is a
///   temporary error if one of them may be found later.
public final class MailHosts {

  private static final EnhancedStatus NO_SUCH_DOMAIN = new EnhancedStatus(5, 1, 2);
  private static final EnhancedStatus BAD_LITERAL = new EnhancedStatus(5, 1, 3);
  private static final EnhancedStatus NULL_MX = new EnhancedStatus(5, 1, 10);
  private static final EnhancedStatus DNS_IN_TROUBLE = new EnhancedStatus(4, 4, 3);
  private static final EnhancedStatus NO_WAY = new EnhancedStatus(5, 4, 4);
  private static final EnhancedStatus LOOP = new EnhancedStatus(5, 4, 6);

  /// What bounds the search, and who we are.
  ///
  /// @param ownNames our host names
  /// @param ownAddresses the addresses at which others reach us
  /// @param ipv6 whether IPv6 addresses are tried at all
  /// @param hostsMax how many hosts are given at most, and looked up
  /// @param addressesMax how many addresses of one host
  /// @param deadline how long a whole search may last
  public record Settings(
      Set<DnsName> ownNames,
      Set<InetAddress> ownAddresses,
      boolean ipv6,
      int hostsMax,
      int addressesMax,
      Duration deadline) {

    public Settings {
      ownNames = Set.copyOf(ownNames);
      ownAddresses = Set.copyOf(ownAddresses);
      if (hostsMax < 1 || addressesMax < 1) {
        throw new IllegalArgumentException("no host or no address may be tried");
      }
    }

    /// The usual bounds.
    public static Settings of(Set<DnsName> ownNames, Set<InetAddress> ownAddresses) {
      return new Settings(ownNames, ownAddresses, true, 20, 8, Duration.ofSeconds(60));
    }
  }

  private final Dns dns;
  private final Settings settings;
  private final RandomGenerator random;
  private final LongSupplier nanoTime;

  /// @param random spreads mail over hosts of equal preference; safe for the threads that search
  /// @param nanoTime as `System.nanoTime`
  public MailHosts(Dns dns, Settings settings, RandomGenerator random, LongSupplier nanoTime) {
    this.dns = dns;
    this.settings = settings;
    this.random = random;
    this.nanoTime = nanoTime;
  }

  /// The hosts for a domain or an address literal.
  public Targets find(Domain domain, Reach reach) {
    if (AddressLiteral.isLiteral(domain)) {
      return literal(domain, reach);
    }
    var name = DnsName.of(domain);
    if (name.isEmpty()) {
      return new Targets.None(NO_SUCH_DOMAIN, "The domain is no name that DNS can hold.");
    }
    long deadline = nanoTime.getAsLong() + settings.deadline.toNanos();
    return switch (dns.ask(new Question.Mx(name.get()), settings.deadline)) {
      case Answer.Found<MailExchange> mx -> exchanges(name.get(), mx, reach, deadline);
      case Answer.NoSuchData<MailExchange>(var secure) ->
          direct(name.get(), secure, reach, deadline);
      case Answer.NoSuchName<MailExchange> _ ->
          new Targets.None(NO_SUCH_DOMAIN, "There is no domain " + name.get() + ".");
      case Answer.Failed<MailExchange>(var sentence) -> new Targets.None(DNS_IN_TROUBLE, sentence);
    };
  }

  /// The addresses of one host, MX records not asked: for a route that names its host.
  public Targets host(DnsName name, Reach reach) {
    return direct(name, false, reach, nanoTime.getAsLong() + settings.deadline.toNanos());
  }

  private Targets literal(Domain domain, Reach reach) {
    var address = AddressLiteral.parse(domain);
    if (address.isEmpty()) {
      return new Targets.None(BAD_LITERAL, "The address literal is none that we can read.");
    }
    if (settings.ownAddresses.contains(address.get())) {
      return new Targets.None(LOOP, "The address literal is our own address.");
    }
    if (!reach.allows(address.get())) {
      return new Targets.None(NO_WAY, "Mail is not sent to the address in the address literal.");
    }
    var host =
        new Targets.Host(Optional.empty(), Optional.empty(), 0, List.of(address.get()), false);
    return new Targets.Found(List.of(host), false);
  }

  /// RFC 5321 §5.1: without MX record the domain itself is the host, with preference 0.
  private Targets direct(DnsName name, boolean secure, Reach reach, long deadline) {
    if (settings.ownNames.contains(name)) {
      return new Targets.None(LOOP, name + " is our own name.");
    }
    return switch (look(new MailExchange(0, name), reach, deadline)) {
      case Look.Usable(var host) -> new Targets.Found(List.of(host), secure);
      case Look.Ours _ -> new Targets.None(LOOP, name + " has our own address.");
      case Look.Unknown(var sentence) -> new Targets.None(DNS_IN_TROUBLE, sentence);
      case Look.Forbidden _ ->
          new Targets.None(NO_WAY, name + " has only addresses to which mail is not sent.");
      case Look.Nowhere(var exists) ->
          exists
              ? new Targets.None(NO_WAY, name + " has neither an MX record nor an address.")
              : new Targets.None(NO_SUCH_DOMAIN, "There is no domain " + name + ".");
    };
  }

  private Targets exchanges(
      DnsName domain, Answer.Found<MailExchange> mx, Reach reach, long deadline) {
    if (mx.records().size() == 1 && mx.records().getFirst().host().equals(DnsName.ROOT)) {
      return new Targets.None(NULL_MX, domain + " says that it takes no mail (null MX).");
    }
    int ours = Integer.MAX_VALUE;
    for (var each : mx.records()) {
      if (settings.ownNames.contains(each.host())) {
        ours = Math.min(ours, each.preference());
      }
    }
    var hosts = new ArrayList<Targets.Host>();
    Optional<String> unknown = Optional.empty();
    boolean forbidden = false;
    int looked = 0;
    for (var each : inOrder(mx.records())) {
      if (each.preference() >= ours || looked == settings.hostsMax) {
        break;
      }
      looked++;
      switch (look(each, reach, deadline)) {
        case Look.Usable(var host) -> hosts.add(host);
        case Look.Ours _ -> ours = each.preference();
        case Look.Unknown(var sentence) -> unknown = unknown.or(() -> Optional.of(sentence));
        case Look.Forbidden _ -> forbidden = true;
        case Look.Nowhere _ -> {}
      }
    }
    int least = ours;
    hosts.removeIf(host -> host.preference() >= least);
    if (!hosts.isEmpty()) {
      return new Targets.Found(hosts, mx.secure());
    }
    if (unknown.isPresent()) {
      return new Targets.None(DNS_IN_TROUBLE, unknown.get());
    }
    if (ours != Integer.MAX_VALUE) {
      return new Targets.None(
          LOOP, "Mail for " + domain + " would come back to us: we are its best MX that is left.");
    }
    return new Targets.None(
        NO_WAY,
        forbidden
            ? "The MX hosts of " + domain + " have only addresses to which mail is not sent."
            : "No MX host of " + domain + " has an address.");
  }

  /// By preference, equals in random order (RFC 5321 §5.1). A host named twice stands where it is
  /// best; the root among others names no host (RFC 7505 §3).
  private List<MailExchange> inOrder(List<MailExchange> records) {
    var order = new ArrayList<>(records);
    Collections.shuffle(order, random);
    order.sort(Comparator.comparingInt(MailExchange::preference));
    var seen = new HashSet<DnsName>();
    seen.add(DnsName.ROOT);
    order.removeIf(each -> !seen.add(each.host()));
    return order;
  }

  /// What became of one host.
  private sealed interface Look {
    record Usable(Targets.Host host) implements Look {}

    record Ours() implements Look {}

    record Unknown(String sentence) implements Look {}

    /// It has addresses, none of which may be used.
    record Forbidden() implements Look {}

    record Nowhere(boolean exists) implements Look {}
  }

  private Look look(MailExchange exchange, Reach reach, long deadline) {
    var name = exchange.host();
    var six = addresses(new Question.Aaaa(name), deadline);
    var four = addresses(new Question.A(name), deadline);
    var all = new ArrayList<InetAddress>(six.found);
    all.addAll(four.found);
    if (!Collections.disjoint(all, settings.ownAddresses)) {
      return new Look.Ours();
    }
    var order = alternating(usable(six.found, reach), usable(four.found, reach));
    if (!order.isEmpty()) {
      // An alias leads both to the same name; DANE wants both secure (RFC 7672 §2.2.2). What could
      // not be looked up says nothing: who can make a lookup fail must not turn DANE off by it.
      return new Look.Usable(
          new Targets.Host(
              Optional.of(name),
              four.canonical.or(() -> six.canonical),
              exchange.preference(),
              order,
              (six.secure || six.unknown.isPresent())
                  && (four.secure || four.unknown.isPresent())));
    }
    var unknown = six.unknown.or(() -> four.unknown);
    if (unknown.isPresent()) {
      return new Look.Unknown(unknown.get());
    }
    return all.isEmpty() ? new Look.Nowhere(six.exists || four.exists) : new Look.Forbidden();
  }

  private record Addresses(
      List<InetAddress> found,
      Optional<DnsName> canonical,
      boolean secure,
      boolean exists,
      Optional<String> unknown) {}

  private <T extends InetAddress> Addresses addresses(Question<T> question, long deadline) {
    long left = deadline - nanoTime.getAsLong();
    if (left <= 0) {
      var late = "Looking up " + question.name() + ": the search for mail hosts took too long.";
      return new Addresses(List.of(), Optional.empty(), false, true, Optional.of(late));
    }
    return switch (dns.ask(question, Duration.ofNanos(left))) {
      case Answer.Found<T>(var records, _, var secure, var canonical) ->
          new Addresses(
              List.copyOf(records), Optional.of(canonical), secure, true, Optional.empty());
      case Answer.NoSuchData<T>(var secure) ->
          new Addresses(List.of(), Optional.empty(), secure, true, Optional.empty());
      case Answer.NoSuchName<T>(var secure) ->
          new Addresses(List.of(), Optional.empty(), secure, false, Optional.empty());
      case Answer.Failed<T>(var sentence) ->
          new Addresses(List.of(), Optional.empty(), false, true, Optional.of(sentence));
    };
  }

  private List<InetAddress> usable(List<InetAddress> found, Reach reach) {
    var usable = new ArrayList<InetAddress>();
    for (var each : new HashSet<>(found)) {
      if ((settings.ipv6 || each instanceof Inet4Address) && reach.allows(each)) {
        usable.add(each);
      }
    }
    // From a fixed order, so that the same random numbers give the same order again.
    usable.sort(Comparator.comparing(InetAddress::getHostAddress));
    Collections.shuffle(usable, random);
    return usable;
  }

  /// IPv6 first, then by turns, so that a broken family costs one attempt and not all (RFC 8305
  /// §4).
  private List<InetAddress> alternating(List<InetAddress> six, List<InetAddress> four) {
    var order = new ArrayList<InetAddress>();
    for (int i = 0; i < Math.max(six.size(), four.size()); i++) {
      if (i < six.size()) {
        order.add(six.get(i));
      }
      if (i < four.size()) {
        order.add(four.get(i));
      }
    }
    return order.size() > settings.addressesMax ? order.subList(0, settings.addressesMax) : order;
  }
}
