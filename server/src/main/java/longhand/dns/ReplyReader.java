package longhand.dns;

import java.net.Inet6Address;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import longhand.dns.DnsSettings.Validation;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CAARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Flags;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TLSARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/// Reads out of a reply what answers the question, and nothing else: records of other names are
/// passed over, so that a server can speak only of what it was asked (RFC 5452 §6). Where an alias
/// leads is asked anew.
final class ReplyReader {

  private final DnsSettings settings;

  ReplyReader(DnsSettings settings) {
    this.settings = settings;
  }

  static int type(Question<?> question) {
    return switch (question) {
      case Question.Mx _ -> Type.MX;
      case Question.A _ -> Type.A;
      case Question.Aaaa _ -> Type.AAAA;
      case Question.Txt _ -> Type.TXT;
      case Question.TlsaOf _ -> Type.TLSA;
      case Question.Ptr _ -> Type.PTR;
      case Question.Cname _ -> Type.CNAME;
      case Question.SrvOf _ -> Type.SRV;
      case Question.CaaOf _ -> Type.CAA;
      case Question.Ns _ -> Type.NS;
      case Question.Dnskey _ -> Type.DNSKEY;
      case Question.Ds _ -> Type.DS;
    };
  }

  static Name name(DnsName name) {
    try {
      return name.equals(DnsName.ROOT) ? Name.root : Name.fromString(name.text() + ".");
    } catch (TextParseException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Whether a reply says anything: that there is an answer, or that there is none. A refusal, and
  /// a server that only points at others (RFC 2308 §2.2, a referral), do not.
  static boolean isAnswer(Message reply) {
    int rcode = reply.getRcode();
    if (!reply.getHeader().getFlag(Flags.QR)
        || reply.getHeader().getFlag(Flags.TC)
        || (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN)) {
      return false;
    }
    boolean soa = false;
    boolean ns = false;
    for (var record : reply.getSection(Section.AUTHORITY)) {
      soa |= record.getType() == Type.SOA;
      ns |= record.getType() == Type.NS;
    }
    return rcode == Rcode.NXDOMAIN || !reply.getSection(Section.ANSWER).isEmpty() || soa || !ns;
  }

  <T> KeptStep<T> read(Question<T> question, Message reply) {
    if (!isAnswer(reply)) {
      return failed("the name server answered " + Rcode.string(reply.getRcode()));
    }
    var asked = name(question.name());
    int type = type(question);
    boolean secure =
        !(settings.validation() instanceof Validation.None) && reply.getHeader().getFlag(Flags.AD);
    var found = new ArrayList<T>();
    Optional<CNAMERecord> alias = Optional.empty();
    boolean dropped = false;
    long ttl = Long.MAX_VALUE;
    long octets = 0;
    for (var record : reply.getSection(Section.ANSWER)) {
      if (record.getDClass() != DClass.IN || !record.getName().equals(asked)) {
        continue;
      }
      if (record.getType() == type) {
        var value = this.<T>value(record);
        value.ifPresent(found::add);
        dropped |= value.isEmpty();
        ttl = Math.min(ttl, record.getTTL());
        octets += record.toWireCanonical().length;
      } else if (record instanceof CNAMERecord cname) {
        alias = Optional.of(cname);
      }
    }
    if (!found.isEmpty()) {
      var kept = clamp(ttl, settings.ttlGreatest());
      return new KeptStep<>(new Step.Records<>(List.copyOf(found), kept, secure), kept, octets);
    }
    if (alias.isPresent()) {
      return alias(alias.get(), secure);
    }
    if (dropped && question instanceof Question.Mx) {
      // There are MX records, so the domain's own address is not meant (RFC 5321 §5.1).
      return failed("no MX record names a host");
    }
    return new KeptStep<>(
        new Step.Nothing<>(reply.getRcode() != Rcode.NXDOMAIN, secure), negativeTtl(reply), 0);
  }

  private <T> KeptStep<T> alias(CNAMERecord cname, boolean secure) {
    var target = DnsName.parse(cname.getTarget().toString());
    if (target.isEmpty()) {
      return failed("an alias leads to what is no name of a host");
    }
    var kept = clamp(cname.getTTL(), settings.ttlGreatest());
    return new KeptStep<>(
        new Step.Alias<>(target.get(), kept, secure), kept, cname.toWireCanonical().length);
  }

  /// The question's own type decides what a value is, so the cast holds.
  @SuppressWarnings("unchecked")
  private <T> Optional<T> value(Record record) {
    return (Optional<T>)
        switch (record) {
          case MXRecord mx ->
              DnsName.parse(mx.getTarget().toString())
                  .map(host -> new MailExchange(mx.getPriority(), host));
          case ARecord a -> Optional.of(AddressLiteral.address(a.getAddress().getAddress()));
          case AAAARecord aaaa ->
              aaaa.getAddress() instanceof Inet6Address six
                  ? Optional.of(AddressLiteral.address(six.getAddress()))
                  : Optional.empty();
          case TXTRecord txt -> Optional.of(joined(txt));
          case TLSARecord tlsa ->
              Optional.of(
                  Tlsa.of(
                      tlsa.getCertificateUsage(),
                      tlsa.getSelector(),
                      tlsa.getMatchingType(),
                      tlsa.getCertificateAssociationData()));
          case PTRRecord ptr -> DnsName.parse(ptr.getTarget().toString());
          case CNAMERecord cname -> DnsName.parse(cname.getTarget().toString());
          case SRVRecord srv ->
              DnsName.parse(srv.getTarget().toString())
                  .map(
                      target -> new Srv(srv.getPriority(), srv.getWeight(), srv.getPort(), target));
          case CAARecord caa ->
              Optional.of(
                  new Caa(caa.getFlags(), caa.getTag().toLowerCase(Locale.ROOT), caa.getValue()));
          case NSRecord ns -> DnsName.parse(ns.getTarget().toString());
          case DNSKEYRecord key -> Optional.of(key.getFootprint());
          case DSRecord ds -> Optional.of(ds.getFootprint());
          default -> Optional.empty();
        };
  }

  private static String joined(TXTRecord txt) {
    var text = new StringBuilder();
    for (var each : txt.getStringsAsByteArrays()) {
      text.append(new String(each, StandardCharsets.ISO_8859_1));
    }
    return text.toString();
  }

  /// RFC 2308 §5: the lesser of the SOA's TTL and its minimum. Without SOA it is not kept.
  private Duration negativeTtl(Message reply) {
    for (var record : reply.getSection(Section.AUTHORITY)) {
      if (record instanceof SOARecord soa) {
        return clamp(Math.min(soa.getTTL(), soa.getMinimum()), settings.negativeGreatest());
      }
    }
    return Duration.ZERO;
  }

  private Duration clamp(long seconds, Duration greatest) {
    var ttl = Duration.ofSeconds(Math.max(0, seconds));
    if (ttl.compareTo(settings.ttlLeast()) < 0) {
      ttl = settings.ttlLeast();
    }
    return ttl.compareTo(greatest) > 0 ? greatest : ttl;
  }

  <T> KeptStep<T> failed(String sentence) {
    return new KeptStep<>(new Step.Failed<>(sentence), settings.failureTtl(), 0);
  }
}
