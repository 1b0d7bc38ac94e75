package longhand.server;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import longhand.dns.DnsName;
import longhand.dns.Targets;
import longhand.mtasts.StsFailure;
import longhand.mtasts.StsPolicy;
import longhand.relay.NextHops;
import longhand.relay.Published;
import longhand.relay.Target;
import longhand.relay.TlsPolicy;
import longhand.wire.TlsVerification;
import longhand.wire.TlsaRecord;
import tools.jackson.databind.node.ObjectNode;

/// Says where mail goes from here: to people in lines, to programs in JSON.
final class OnwardText {

  private OnwardText() {}

  /// The lines, without indent.
  static List<String> lines(Onward onward) {
    var lines = new ArrayList<String>();
    switch (onward) {
      case Onward.ByRoute(_, var via, var targets) -> {
        var protocol = via.protocol() == Target.Protocol.LMTP ? "LMTP" : "SMTP";
        var to =
            targets instanceof Targets.Found(var hosts, _)
                ? " "
                    + addresses(hosts.stream().flatMap(each -> each.addresses().stream()).toList())
                : "";
        lines.add(
            protocol
                + " to "
                + via.host()
                + to
                + ", port "
                + via.port()
                + via.login().map(login -> ", logged in as " + login.name()).orElse("")
                + via.source().map(ours -> ", from " + ours.getHostAddress()).orElse(""));
        lines.add("  " + demand(via.tls(), via.host()));
        if (targets instanceof Targets.None(_, var sentence)) {
          lines.add(sentence);
          lines.add("mail waits and is tried again: 4.4.1");
        }
      }
      case Onward.ByDns(var targets, var hops) -> byDns(lines, targets, hops);
      case Onward.Late(var sentence) -> lines.add(sentence);
    }
    return lines;
  }

  private static void byDns(List<String> lines, Targets targets, NextHops hops) {
    if (targets instanceof Targets.Found(var hosts, var secure)) {
      lines.add(
          "DNS names them, "
              + (secure ? "and DNSSEC vouches for it" : "without DNSSEC that vouches for it"));
      for (var host : hosts) {
        lines.add(
            host.name().isEmpty()
                ? addresses(host.addresses())
                : host.preference() + " " + host.name().get() + " " + addresses(host.addresses()));
        if (secure && !host.secure()) {
          lines.add("  without DNSSEC that vouches for its addresses");
        }
        passedOver(hops, host).ifPresent(each -> lines.add("  not tried: " + each.sentence()));
        hop(hops, host).ifPresent(each -> published(lines, each));
      }
    }
    failure(hops)
        .ifPresent(
            each -> lines.add("the MTA-STS policy it announces cannot be had: " + each.detail()));
    switch (hops) {
      case NextHops.Found _ -> {}
      case NextHops.Defer(var status, var sentence, _, var told) -> {
        if (told.isEmpty()) {
          lines.add(sentence);
        }
        lines.add("mail waits and is tried again: " + status);
      }
      case NextHops.Bounce(var status, var sentence) -> {
        lines.add(sentence);
        lines.add("mail goes back to its sender: " + status);
      }
    }
  }

  private static void published(List<String> lines, NextHops.Hop hop) {
    var demand = demand(hop.target().tls(), hop.target().host());
    switch (hop.published()) {
      case Published.Nothing _ -> lines.add("  neither DANE nor MTA-STS: " + demand);
      case Published.Sts(var policy) ->
          lines.add(
              "  MTA-STS, "
                  + (policy.mode() == StsPolicy.Mode.ENFORCE ? "enforced" : "on trial")
                  + ": "
                  + demand);
      case Published.Dane(var records) -> {
        boolean usable = records.stream().anyMatch(TlsaRecord::usable);
        lines.add("  DANE" + (usable ? "" : " without a usable record") + ": " + demand);
        records.forEach(record -> lines.add("    TLSA " + record));
      }
    }
  }

  private static String demand(TlsPolicy tls, String name) {
    return switch (tls) {
      case TlsPolicy.Never _ -> "without TLS";
      case TlsPolicy.Opportunistic _ -> "TLS where it is offered, with any certificate";
      case TlsPolicy.Required(var verification) ->
          "only under TLS, with " + certificate(verification, name);
      case TlsPolicy.Implicit(var verification) ->
          "only under TLS from the first octet, with " + certificate(verification, name);
    };
  }

  private static String certificate(TlsVerification verification, String name) {
    return switch (verification) {
      case TlsVerification.None _ -> "any certificate";
      case TlsVerification.Pkix _ -> "a certificate for " + name + " from a known authority";
      case TlsVerification.Dane _ -> "a certificate that the TLSA records name";
    };
  }

  private static String addresses(List<InetAddress> addresses) {
    return addresses.stream()
        .map(each -> "[" + each.getHostAddress() + "]")
        .collect(Collectors.joining(", "));
  }

  /// The first hop to a host: those to its other addresses are under the same TLS.
  private static Optional<NextHops.Hop> hop(NextHops hops, Targets.Host host) {
    return hops instanceof NextHops.Found(var all, _, _)
        ? all.stream()
            .filter(each -> host.addresses().contains(each.target().address().getAddress()))
            .filter(each -> host.name().isEmpty() || each.host().equals(host.name().get().text()))
            .findFirst()
        : Optional.empty();
  }

  private static Optional<NextHops.PassedOver> passedOver(NextHops hops, Targets.Host host) {
    var all =
        switch (hops) {
          case NextHops.Found(_, _, var passedOver) -> passedOver;
          case NextHops.Defer(_, _, _, var passedOver) -> passedOver;
          case NextHops.Bounce _ -> List.<NextHops.PassedOver>of();
        };
    var name = host.name().map(DnsName::text);
    return all.stream().filter(each -> Optional.of(each.host()).equals(name)).findFirst();
  }

  private static Optional<StsFailure> failure(NextHops hops) {
    return switch (hops) {
      case NextHops.Found(_, var failure, _) -> failure;
      case NextHops.Defer(_, _, var failure, _) -> failure;
      case NextHops.Bounce _ -> Optional.empty();
    };
  }

  /// The same as fields of an object.
  static void json(ObjectNode node, Onward onward) {
    node.put("fate", name(onward.fate()));
    switch (onward) {
      case Onward.ByRoute(var name, var via, var targets) -> {
        node.put("by", "route");
        node.put("route", name);
        node.put("protocol", name(via.protocol()));
        via.login().ifPresent(login -> node.put("login", login.name()));
        via.source().ifPresent(ours -> node.put("source", ours.getHostAddress()));
        switch (targets) {
          case Targets.Found(var hosts, _) -> {
            var host = node.putArray("hosts").addObject();
            host.put("host", via.host());
            var addresses = host.putArray("addresses");
            hosts.stream()
                .flatMap(each -> each.addresses().stream())
                .forEach(each -> addresses.add(each.getHostAddress()));
            host.put("port", via.port());
            host.put("tls", tls(via.tls()));
          }
          case Targets.None(_, var sentence) -> {
            node.put("status", "4.4.1");
            node.put("words", sentence);
          }
        }
      }
      case Onward.ByDns(var targets, var hops) -> {
        node.put("by", "dns");
        json(node, targets, hops);
      }
      case Onward.Late(var sentence) -> node.put("words", sentence);
    }
  }

  private static void json(ObjectNode node, Targets targets, NextHops hops) {
    if (targets instanceof Targets.Found(var hosts, var secure)) {
      node.put("dnssec", secure);
      var array = node.putArray("hosts");
      for (var host : hosts) {
        var each = array.addObject();
        host.name().ifPresent(name -> each.put("host", name.text()));
        each.put("preference", host.preference());
        each.put("dnssec", host.secure());
        var addresses = each.putArray("addresses");
        host.addresses().forEach(address -> addresses.add(address.getHostAddress()));
        passedOver(hops, host)
            .ifPresent(
                passed -> {
                  each.put("not-tried", name(passed.reason()));
                  each.put("words", passed.sentence());
                });
        hop(hops, host)
            .ifPresent(
                hop -> {
                  each.put("port", hop.target().address().getPort());
                  each.put("tls", tls(hop.target().tls()));
                  published(each, hop.published());
                });
      }
    }
    failure(hops).ifPresent(each -> node.put("mta-sts-failure", each.detail()));
    switch (hops) {
      case NextHops.Found _ -> {}
      case NextHops.Defer(var status, var sentence, _, _) -> {
        node.put("status", status.toString());
        node.put("words", sentence);
      }
      case NextHops.Bounce(var status, var sentence) -> {
        node.put("status", status.toString());
        node.put("words", sentence);
      }
    }
  }

  private static void published(ObjectNode node, Published published) {
    switch (published) {
      case Published.Nothing _ -> node.put("published", "nothing");
      case Published.Sts(var policy) -> {
        node.put("published", "mta-sts");
        node.put("mode", policy.mode().toString());
      }
      case Published.Dane(var records) -> {
        node.put("published", "dane");
        var array = node.putArray("tlsa");
        records.forEach(record -> array.add(record.toString()));
      }
    }
  }

  /// `never`, `opportunistic`, and what a server must prove: `any`, `authority` or `dane`, with
  /// `implicit-` before it where TLS begins at once.
  private static String tls(TlsPolicy tls) {
    return switch (tls) {
      case TlsPolicy.Never _ -> "never";
      case TlsPolicy.Opportunistic _ -> "opportunistic";
      case TlsPolicy.Required(var verification) -> proof(verification);
      case TlsPolicy.Implicit(var verification) -> "implicit-" + proof(verification);
    };
  }

  private static String proof(TlsVerification verification) {
    return switch (verification) {
      case TlsVerification.None _ -> "any";
      case TlsVerification.Pkix _ -> "authority";
      case TlsVerification.Dane _ -> "dane";
    };
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
