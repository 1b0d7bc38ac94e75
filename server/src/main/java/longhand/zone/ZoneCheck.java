package longhand.zone;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import longhand.dkim.HeldKey;
import longhand.dns.Answer;
import longhand.dns.Caa;
import longhand.dns.Dns;
import longhand.dns.DnsName;
import longhand.dns.MailExchange;
import longhand.dns.Question;
import longhand.dns.Reach;
import longhand.dns.Srv;
import longhand.dns.Tlsa;
import longhand.mtasts.Fetched;
import longhand.mtasts.StsPolicy;
import longhand.mtasts.StsRecord;
import longhand.tlsrpt.ReportRecord;
import longhand.wire.TlsaRecord;
import longhand.zone.Finding.Verdict;

/// Compares what DNS says of a domain with what it should say. Each topic is one method, which asks
/// and gives findings, each with its consequence and what to paste. For one thread.
public final class ZoneCheck {

  private static final int LABELS_MAX = 20;

  private final Dns dns;
  private final Function<DnsName, Fetched> policies;
  private final Reach reach;
  private final Duration within;

  /// @param policies fetches the MTA-STS policy of a domain
  /// @param reach which addresses the world can be told of
  /// @param within how long to wait for each answer
  public ZoneCheck(Dns dns, Function<DnsName, Fetched> policies, Reach reach, Duration within) {
    this.dns = dns;
    this.policies = policies;
    this.reach = reach;
    this.within = within;
  }

  /// All findings, the most important topics first.
  public List<Finding> check(MailDomain domain) {
    return new Look(domain).all();
  }

  /// What is wrong with the records of some DKIM keys; nothing when all are published.
  public List<Finding> dkim(MailDomain domain) {
    return new Look(domain)
        .dkim().stream().filter(finding -> finding.verdict() != Verdict.RIGHT).toList();
  }

  private final class Look {

    private final MailDomain of;
    private final Publication records;
    private final List<Finding> findings = new ArrayList<>();

    Look(MailDomain domain) {
      of = domain;
      records = new Publication(domain);
    }

    List<Finding> all() {
      exchangers();
      var addresses = addresses();
      addresses.forEach(this::reverse);
      spf(of.domain(), records.spf(), addresses);
      records.hostSpf().ifPresent(record -> spf(of.host(), record, addresses));
      findings.addAll(dkim());
      dmarc();
      boolean signed = dnssec();
      dane(signed);
      sts();
      tlsReports();
      of.services().forEach(this::service);
      authorities();
      return findings;
    }

    private void exchangers() {
      var why =
          "Other servers bring mail for " + of.domain() + " to the hosts that its MX records name.";
      switch (ask(new Question.Mx(of.domain()))) {
        case Answer.Failed<MailExchange>(var sentence) -> unknown("MX", of.domain(), sentence);
        case Answer.NoSuchName<MailExchange> _, Answer.NoSuchData<MailExchange> _ ->
            add("MX", of.domain(), Verdict.MISSING, "there is no MX record", why, records.mx());
        case Answer.Found<MailExchange> found -> {
          var hosts = found.records();
          var ours = hosts.stream().filter(each -> each.host().equals(of.host())).findFirst();
          var names =
              hosts.stream().map(each -> each.host().text()).collect(Collectors.joining(", "));
          if (ours.isEmpty()) {
            var what = names.equals(".") ? "a null MX refuses all mail" : "mail goes to " + names;
            add("MX", of.domain(), Verdict.WRONG, what, why, records.mx());
          } else if (hosts.stream().anyMatch(each -> each.preference() < ours.get().preference())) {
            add(
                "MX",
                of.domain(),
                Verdict.SUGGESTED,
                "mail goes to other hosts first: " + names,
                "That is right where those pass it on to " + of.host() + ".");
          } else {
            right("MX", of.domain(), "mail goes to " + of.host());
          }
        }
      }
    }

    /// Gives the addresses that DNS has for the host.
    private List<InetAddress> addresses() {
      if (ask(new Question.Cname(of.host())) instanceof Answer.Found<DnsName> alias) {
        add(
            "A, AAAA",
            of.host(),
            Verdict.WRONG,
            "it is an alias (CNAME) of " + alias.records().getFirst(),
            "A name in an MX record may not be an alias (RFC 2181 §10.3), and some servers send"
                + " no mail to one. Give it addresses of its own.",
            hostRecords());
        return List.of();
      }
      var four = ask(new Question.A(of.host()));
      var six = ask(new Question.Aaaa(of.host()));
      var found = new ArrayList<InetAddress>(recordsOf(four));
      found.addAll(recordsOf(six));
      var failure = failureOf(four).or(() -> failureOf(six));
      if (failure.isPresent()) {
        unknown("A, AAAA", of.host(), failure.get());
        return found;
      }
      var words = words(found);
      var strange =
          found.stream()
              .filter(
                  each ->
                      of.addresses().isEmpty()
                          ? !reach.allows(each)
                          : !of.addresses().contains(each))
              .toList();
      var absent =
          of.addresses().stream()
              .filter(each -> !found.contains(each))
              .map(each -> Publication.address(of.host(), each))
              .toArray(ZoneRecord[]::new);
      if (found.isEmpty()) {
        add(
            "A, AAAA",
            of.host(),
            Verdict.MISSING,
            "the name has no address",
            "Nobody can reach the server by its name.",
            hostRecords());
      } else if (!strange.isEmpty()) {
        add(
            "A, AAAA",
            of.host(),
            Verdict.WRONG,
            "it leads to " + words(strange) + (of.addresses().isEmpty() ? "" : ", not to here"),
            of.addresses().isEmpty()
                ? "Addresses of private networks mean nothing to other servers."
                : "Mail that goes there does not arrive. This server has "
                    + words(of.addresses())
                    + "; if it is reached by another address, name that with --address.",
            absent);
      } else if (absent.length > 0) {
        add(
            "A, AAAA",
            of.host(),
            Verdict.SUGGESTED,
            "it leads to " + words + ", and the machine has other addresses too",
            "Mail that leaves from one of those may be refused: neither SPF nor reverse DNS know"
                + " it.",
            absent);
      } else {
        right("A, AAAA", of.host(), "it leads to " + words);
      }
      return found;
    }

    private ZoneRecord[] hostRecords() {
      return of.addresses().stream()
          .map(each -> Publication.address(of.host(), each))
          .toArray(ZoneRecord[]::new);
    }

    private void reverse(InetAddress address) {
      var name = DnsName.reverse(address);
      var why =
          "Many servers take no mail from an address whose reverse DNS is missing or says another"
              + " name. It is set where the address comes from: the provider of the machine or of"
              + " the line.";
      var paste = List.of("; " + name + ". IN PTR " + of.host() + ".");
      switch (ask(new Question.Ptr(name))) {
        case Answer.Failed<DnsName>(var sentence) -> unknown("PTR", name, sentence);
        case Answer.NoSuchName<DnsName> _, Answer.NoSuchData<DnsName> _ ->
            findings.add(
                new Finding(
                    "PTR",
                    name,
                    Verdict.MISSING,
                    "there is no name for " + address.getHostAddress(),
                    why,
                    paste));
        case Answer.Found<DnsName> found -> {
          var names = found.records();
          var text = names.stream().map(DnsName::text).collect(Collectors.joining(", "));
          if (names.contains(of.host())) {
            right("PTR", name, address.getHostAddress() + " is " + of.host());
          } else if (names.stream().limit(5).anyMatch(each -> leadsTo(each, address))) {
            findings.add(
                new Finding(
                    "PTR",
                    name,
                    Verdict.SUGGESTED,
                    address.getHostAddress() + " is " + text + ", which leads back",
                    "Better is the name that the server greets with, " + of.host() + ".",
                    paste));
          } else {
            findings.add(
                new Finding(
                    "PTR",
                    name,
                    Verdict.WRONG,
                    address.getHostAddress() + " is " + text + ", which does not lead back",
                    why,
                    paste));
          }
        }
      }
    }

    private boolean leadsTo(DnsName name, InetAddress address) {
      return address instanceof Inet4Address
          ? recordsOf(ask(new Question.A(name))).contains(address)
          : recordsOf(ask(new Question.Aaaa(name))).contains(address);
    }

    private void spf(DnsName name, ZoneRecord ours, List<InetAddress> inDns) {
      boolean ofHost = !name.equals(of.domain());
      var why =
          ofHost
              ? "Reports of the server itself have no reverse-path; others check its own name"
                  + " instead (RFC 7208 §2.3)."
              : "Others cannot tell mail of this server from forged mail, and may refuse it.";
      var answer = ask(new Question.Txt(name));
      if (answer instanceof Answer.Failed<String>(var sentence)) {
        unknown("SPF", name, sentence);
        return;
      }
      var texts = recordsOf(answer).stream().filter(SpfTerm::isRecord).toList();
      if (texts.isEmpty()) {
        var verdict = ofHost ? Verdict.SUGGESTED : Verdict.MISSING;
        add("SPF", name, verdict, "there is no SPF record", why, ours);
        return;
      }
      if (texts.size() > 1) {
        var found = "there are " + texts.size() + " SPF records";
        var rule = "There may be one only (RFC 7208 §4.5); with more, none counts.";
        add("SPF", name, Verdict.WRONG, found, rule, ours);
        return;
      }
      switch (SpfTerm.read(texts.getFirst())) {
        case SpfTerm.Malformed(var fault) -> add("SPF", name, Verdict.WRONG, fault, why, ours);
        case SpfTerm.Terms(var terms) -> {
          var walk = new SpfWalk(dns, within);
          walk.walk(name, terms);
          spf(name, terms, walk, ours, of.addresses().isEmpty() ? inDns : of.addresses());
        }
      }
    }

    private void spf(
        DnsName name,
        List<SpfTerm> terms,
        SpfWalk walk,
        ZoneRecord ours,
        List<InetAddress> addresses) {
      var unnamed = addresses.stream().filter(each -> !walk.allows(each)).toList();
      boolean ends =
          terms.stream()
              .anyMatch(
                  term ->
                      term.name().equals("redirect")
                          || (term.name().equals("all")
                              && (term.qualifier() == '-' || term.qualifier() == '~')));
      if (walk.lookups() > SpfWalk.LOOKUPS_MAX) {
        add(
            "SPF",
            name,
            Verdict.WRONG,
            "it needs more than " + SpfWalk.LOOKUPS_MAX + " lookups",
            "Others give up after ten (RFC 7208 §4.6.4), and then nothing passes.",
            ours);
      } else if (walk.fault().isPresent()) {
        var rule = "Others end there with an error, and then nothing passes.";
        add("SPF", name, Verdict.WRONG, "it " + walk.fault().get(), rule, ours);
      } else if (walk.everybody()) {
        var rule = "Everybody may send mail of this name (+all): it protects nothing.";
        add("SPF", name, Verdict.WRONG, "it lets everybody send", rule, ours);
      } else if (!unnamed.isEmpty()) {
        add(
            "SPF",
            name,
            Verdict.WRONG,
            "it does not let " + words(unnamed) + " send",
            "Mail from this server fails the check, and may be refused.",
            ours);
      } else if (!ends) {
        add(
            "SPF",
            name,
            Verdict.SUGGESTED,
            "it does not say what of all others",
            "Without -all or ~all at its end, mail from elsewhere is neither good nor bad.",
            ours);
      } else {
        right("SPF", name, "it lets this server send, with " + lookups(walk.lookups()));
      }
    }

    List<Finding> dkim() {
      var all = new ArrayList<Finding>();
      if (of.keys().isEmpty()) {
        all.add(
            new Finding(
                "DKIM",
                of.domain(),
                Verdict.MISSING,
                "this server has no keys of the domain",
                "Mail leaves without signatures. Make keys with: longhand dkim rotate "
                    + of.domain(),
                List.of()));
      }
      for (var key : of.keys()) {
        all.add(dkim(key));
      }
      return all;
    }

    private Finding dkim(MailDomain.Key key) {
      var record = records.dkim(key);
      var name = record.name();
      var paste = List.of(record.line());
      var role =
          switch (key.stage()) {
            case WAITING -> "It waits to sign until its record is there.";
            case SIGNING -> "It signs, and without its record nobody can check that.";
            case RETIRED ->
                "It signs no more, but mail under way may carry signatures of it for "
                    + HeldKey.RETIRED_KEPT.toDays()
                    + " days.";
          };
      var answer = ask(new Question.Txt(name));
      if (answer instanceof Answer.Failed<String>(var sentence)) {
        return new Finding("DKIM", name, Verdict.UNKNOWN, stripped(sentence), "", List.of());
      }
      var texts = recordsOf(answer);
      if (texts.isEmpty()) {
        return new Finding("DKIM", name, Verdict.MISSING, "there is no key record", role, paste);
      }
      var fault =
          texts.size() > 1
              ? Optional.of("has " + texts.size() + " texts, and others may read either")
              : key.key().faultOf(texts.getFirst());
      return fault
          .map(why -> new Finding("DKIM", name, Verdict.WRONG, "it " + why, role, paste))
          .orElseGet(
              () ->
                  new Finding(
                      "DKIM",
                      name,
                      Verdict.RIGHT,
                      key.key().algorithm().tagValue() + ", " + key.stage(),
                      "",
                      List.of()));
    }

    private void dmarc() {
      var name = records.dmarc().name();
      var why =
          "Large providers refuse or hide mail of domains without DMARC, and you learn nothing of"
              + " mail that others forge.";
      var answer = ask(new Question.Txt(name));
      if (answer instanceof Answer.Failed<String>(var sentence)) {
        unknown("DMARC", name, sentence);
        return;
      }
      var texts = recordsOf(answer).stream().filter(DmarcRecord::isRecord).toList();
      if (texts.isEmpty()) {
        add("DMARC", name, Verdict.MISSING, "there is no DMARC record", why, records.dmarc());
        return;
      }
      var read =
          texts.size() == 1 ? DmarcRecord.read(texts.getFirst()) : Optional.<DmarcRecord>empty();
      if (read.isEmpty()) {
        var found =
            texts.size() > 1
                ? "there are " + texts.size() + " DMARC records, so none counts"
                : "it has no p= of none, quarantine or reject";
        add("DMARC", name, Verdict.WRONG, found, why, records.dmarc());
      } else if (read.get().reports().isEmpty()) {
        add(
            "DMARC",
            name,
            Verdict.SUGGESTED,
            "p=" + read.get().policy() + ", and nobody is told (no rua=)",
            "Reports show who sends mail in your name, and whether yours passes.",
            records.dmarc());
      } else {
        right(
            "DMARC",
            name,
            "p="
                + read.get().policy()
                + (read.get().policy().equals("none") ? ", which only reports" : ""));
      }
    }

    /// Whether the zone of the server's name is signed, so that DANE can count.
    private boolean dnssec() {
      var top = top(of.host());
      var host = ask(new Question.A(of.host()));
      boolean secure =
          switch (host) {
            case Answer.Found<Inet4Address> found -> found.secure();
            case Answer.NoSuchData<Inet4Address>(var sure) -> sure;
            case Answer.NoSuchName<Inet4Address>(var sure) -> sure;
            case Answer.Failed<Inet4Address> _ -> false;
          };
      if (secure) {
        right("DNSSEC", top, "answers are signed, and the signatures were checked");
        return true;
      }
      var keys = ask(new Question.Dnskey(top));
      if (keys instanceof Answer.Failed<Integer>(var sentence)) {
        unknown("DNSSEC", top, sentence);
        return false;
      }
      if (recordsOf(keys).isEmpty()) {
        add(
            "DNSSEC",
            top,
            Verdict.SUGGESTED,
            "the zone is not signed",
            "Without DNSSEC, DANE cannot show others that the connection is to this server.");
        return false;
      }
      var above = ask(new Question.Ds(top));
      if (above instanceof Answer.Found<Integer>) {
        right("DNSSEC", top, "the zone is signed, and the one above vouches for it");
        return true;
      }
      add(
          "DNSSEC",
          top,
          Verdict.SUGGESTED,
          "the zone is signed, but nobody above vouches for it",
          "Give the DS record, which your name server or its provider shows, to the registrar of "
              + top
              + "; until then the signatures count for nothing.");
      return false;
    }

    /// The top of the zone that a name is in: the only name of it that has NS records.
    private DnsName top(DnsName name) {
      var at = name;
      for (int i = 0; i < LABELS_MAX; i++) {
        if (ask(new Question.Ns(at)) instanceof Answer.Found<DnsName>) {
          return at;
        }
        int dot = at.text().indexOf('.');
        if (dot < 0 || at.text().indexOf('.', dot + 1) < 0) {
          return name; // a top-level domain is nobody's zone here
        }
        at = new DnsName(at.text().substring(dot + 1));
      }
      return name;
    }

    private void dane(boolean signed) {
      var name = records.tlsaName();
      var ours = records.tlsa().map(List::of).orElse(List.of()).toArray(ZoneRecord[]::new);
      switch (ask(new Question.TlsaOf(name))) {
        case Answer.Failed<Tlsa>(var sentence) -> {
          var found = stripped(sentence);
          var why =
              "Servers that know DANE send no mail while this question has no answer"
                  + " (RFC 7672 §2.1.2).";
          findings.add(new Finding("TLSA", name, Verdict.UNKNOWN, found, why, List.of()));
        }
        case Answer.NoSuchName<Tlsa> _, Answer.NoSuchData<Tlsa> _ -> {
          if (signed && ours.length > 0) {
            add(
                "TLSA",
                name,
                Verdict.SUGGESTED,
                "there is no TLSA record",
                "With one, servers that know DANE make sure that they talk to this server.",
                ours);
          }
        }
        case Answer.Found<Tlsa> found -> {
          if (of.certificate().isEmpty()) {
            var why = "The server's certificate could not be read to compare.";
            add("TLSA", name, Verdict.UNKNOWN, "there are TLSA records", why);
          } else if (found.records().stream().noneMatch(this::matches)) {
            add(
                "TLSA",
                name,
                Verdict.WRONG,
                "it names another certificate than the server has",
                "Servers that know DANE send no mail here. Publish this beside the old one, and"
                    + " take the old one out when its time to live is over.",
                ours);
          } else {
            right(
                "TLSA",
                name,
                "it names the server's certificate"
                    + (signed ? "" : ", which counts once the zone is signed"));
          }
        }
      }
    }

    private boolean matches(Tlsa tlsa) {
      var certificate = of.certificate().orElseThrow();
      return new TlsaRecord(
              tlsa.usage(),
              tlsa.selector(),
              tlsa.matchingType(),
              HexFormat.of().parseHex(tlsa.data()))
          .matches(certificate);
    }

    private void sts() {
      var name = records.sts().name();
      var answer = ask(new Question.Txt(name));
      if (answer instanceof Answer.Failed<String>(var sentence)) {
        unknown("MTA-STS", name, sentence);
        return;
      }
      var texts = recordsOf(answer).stream().filter(text -> text.startsWith("v=STSv1")).toList();
      if (texts.isEmpty()) {
        add(
            "MTA-STS",
            name,
            Verdict.SUGGESTED,
            "there is no MTA-STS record",
            "With one and a policy at https://mta-sts."
                + of.domain()
                + "/.well-known/mta-sts.txt, large providers insist on TLS on the way here. The"
                + " policy comes first.");
        return;
      }
      if (StsRecord.among(texts).isEmpty()) {
        var rule = "Others take it as if there were none.";
        add("MTA-STS", name, Verdict.WRONG, "it cannot be read", rule, records.sts());
        return;
      }
      switch (policies.apply(of.domain())) {
        case Fetched.Failed(var failure) ->
            findings.add(
                new Finding(
                    "MTA-STS",
                    name,
                    Verdict.WRONG,
                    "its policy cannot be had: " + failure.detail(),
                    "It says that there is a policy at https://mta-sts."
                        + of.domain()
                        + "/.well-known/mta-sts.txt. Put this there, or take the record away.",
                    policy()));
        case Fetched.Policy(var policy) -> {
          if (policy.mode() != StsPolicy.Mode.NONE && !policy.matches(of.host())) {
            findings.add(
                new Finding(
                    "MTA-STS",
                    name,
                    Verdict.WRONG,
                    "its policy (" + policy.mode() + ") does not name " + of.host(),
                    "Servers that obey it bring no mail here. Put this in its place, and change"
                        + " the id of the record.",
                    policy()));
          } else {
            right("MTA-STS", name, "its policy (" + policy.mode() + ") names " + of.host());
          }
        }
      }
    }

    private List<String> policy() {
      return records.policy().lines().stream().map(line -> ";     " + line).toList();
    }

    private void tlsReports() {
      var ours = records.tlsReports();
      var answer = ask(new Question.Txt(ours.name()));
      if (answer instanceof Answer.Failed<String>(var sentence)) {
        unknown("TLSRPT", ours.name(), sentence);
        return;
      }
      var texts = recordsOf(answer).stream().filter(text -> text.startsWith("v=TLSRPTv1")).toList();
      var record = ReportRecord.among(texts);
      if (texts.isEmpty()) {
        var why = "With one, others tell you when TLS fails on the way here.";
        add("TLSRPT", ours.name(), Verdict.SUGGESTED, "there is no record", why, ours);
      } else if (record.isEmpty() || record.get().addresses().isEmpty()) {
        var why = "Others take it as if there were none.";
        add("TLSRPT", ours.name(), Verdict.WRONG, "it names no address for reports", why, ours);
      } else {
        right("TLSRPT", ours.name(), "others report trouble with TLS");
      }
    }

    private void service(MailDomain.Service service) {
      var ours = records.service(service);
      switch (ask(new Question.SrvOf(ours.name()))) {
        case Answer.Failed<Srv>(var sentence) -> unknown("SRV", ours.name(), sentence);
        case Answer.NoSuchName<Srv> _, Answer.NoSuchData<Srv> _ ->
            add(
                "SRV",
                ours.name(),
                Verdict.SUGGESTED,
                "there is no SRV record",
                "Mail programs find the server by it, and people need not type its name.",
                ours);
        case Answer.Found<Srv> found -> {
          if (found.records().stream()
              .anyMatch(each -> each.target().equals(of.host()) && each.port() == service.port())) {
            right("SRV", ours.name(), of.host() + ", port " + service.port());
          } else {
            var first = found.records().getFirst();
            add(
                "SRV",
                ours.name(),
                Verdict.WRONG,
                "it leads to " + first.target() + ", port " + first.port(),
                "Mail programs that follow it do not find this server.",
                ours);
          }
        }
      }
    }

    /// RFC 8659 §3: the records of the nearest name upward that has some. Top-level domains are not
    /// asked; what they say is for nobody to mend.
    private void authorities() {
      var at = of.host();
      for (int i = 0; i < LABELS_MAX; i++) {
        var answer = ask(new Question.CaaOf(at));
        if (answer instanceof Answer.Failed<Caa>(var sentence)) {
          unknown("CAA", at, sentence);
          return;
        }
        if (answer instanceof Answer.Found<Caa> found) {
          authorities(at, found.records());
          return;
        }
        int dot = at.text().indexOf('.');
        if (dot < 0 || at.text().indexOf('.', dot + 1) < 0) {
          break;
        }
        at = new DnsName(at.text().substring(dot + 1));
      }
      add(
          "CAA",
          of.host(),
          Verdict.SUGGESTED,
          "there is no CAA record",
          "With one, only the authority that you name may issue certificates for the server.",
          records.caa().map(List::of).orElse(List.of()).toArray(ZoneRecord[]::new));
    }

    private void authorities(DnsName at, List<Caa> records) {
      var issuers =
          records.stream()
              .filter(each -> each.tag().equals("issue"))
              .map(each -> issuer(each.value()))
              .toList();
      var ours = this.records.issuer();
      if (ours.isPresent() && !issuers.isEmpty() && !issuers.contains(ours.get())) {
        add(
            "CAA",
            at,
            Verdict.WRONG,
            "it allows " + String.join(", ", issuers) + ", not " + ours.get(),
            "The certificate in use is by " + ours.get() + ", which may not renew it.",
            this.records.caa().map(List::of).orElse(List.of()).toArray(ZoneRecord[]::new));
      } else {
        right(
            "CAA",
            at,
            issuers.isEmpty() ? "anybody may issue" : "it allows " + String.join(", ", issuers));
      }
    }

    private static String issuer(String value) {
      int semicolon = value.indexOf(';');
      var name = (semicolon < 0 ? value : value.substring(0, semicolon)).strip();
      return name.isEmpty() ? "nobody" : name;
    }

    private <T> Answer<T> ask(Question<T> question) {
      return dns.ask(question, within);
    }

    private void right(String topic, DnsName name, String found) {
      findings.add(new Finding(topic, name, Verdict.RIGHT, found, "", List.of()));
    }

    private void unknown(String topic, DnsName name, String sentence) {
      findings.add(new Finding(topic, name, Verdict.UNKNOWN, stripped(sentence), "", List.of()));
    }

    private void add(
        String topic,
        DnsName name,
        Verdict verdict,
        String found,
        String why,
        ZoneRecord... paste) {
      findings.add(
          new Finding(
              topic,
              name,
              verdict,
              found,
              why,
              List.of(paste).stream().map(ZoneRecord::line).toList()));
    }
  }

  private static String lookups(int count) {
    return count == 1 ? "1 lookup" : count + " lookups";
  }

  private static String words(List<InetAddress> addresses) {
    return addresses.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(", "));
  }

  private static String stripped(String sentence) {
    return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
  }

  private static <T> List<T> recordsOf(Answer<T> answer) {
    return answer instanceof Answer.Found<T> found ? found.records() : List.of();
  }

  private static Optional<String> failureOf(Answer<?> answer) {
    return answer instanceof Answer.Failed<?>(var sentence)
        ? Optional.of(sentence)
        : Optional.empty();
  }
}
