package longhand.tlsrpt;

import java.io.ByteArrayOutputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/// The JSON of reports (RFC 8460 §4.4, RFC 8259), written and read token by token. What is not
/// known is passed over; what is known and of another type, twice there or missing is malformed. A
/// list may be a single text, as some reporters write it.
final class ReportJson {

  /// Most octets of a report of others.
  static final int OCTETS_MAX = 4 << 20;

  /// Most octets of our own counts.
  static final int OWN_OCTETS_MAX = 32 << 20;

  private static final int DEPTH_MAX = 12;
  private static final int TEXT_LENGTH_MAX = 8 * 1024;
  private static final int POLICIES_MAX = 20_000;
  private static final int STRINGS_MAX = 2000;
  private static final int DETAILS_MAX = 50_000;
  private static final long COUNT_MAX = 1L << 53;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH_MAX)
                  .maxNameLength(100)
                  .maxNumberLength(30)
                  .maxStringLength(TEXT_LENGTH_MAX)
                  .maxDocumentLength(OWN_OCTETS_MAX)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private ReportJson() {}

  static byte[] write(TlsReport report) {
    var out = new ByteArrayOutputStream();
    try (var json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeStartObject();
      json.writeStringProperty("organization-name", report.organization());
      json.writeName("date-range");
      json.writeStartObject();
      json.writeStringProperty("start-datetime", report.begin().toString());
      json.writeStringProperty("end-datetime", report.end().toString());
      json.writeEndObject();
      json.writeStringProperty("contact-info", report.contact());
      json.writeStringProperty("report-id", report.id());
      json.writeName("policies");
      json.writeStartArray();
      for (var each : report.policies()) {
        result(json, each);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return out.toByteArray();
  }

  private static void result(JsonGenerator json, PolicyResult result) {
    var policy = result.policy();
    json.writeStartObject();
    json.writeName("policy");
    json.writeStartObject();
    json.writeStringProperty("policy-type", policy.type());
    list(json, "policy-string", policy.strings());
    json.writeStringProperty("policy-domain", policy.domain());
    list(json, "mx-host", policy.mxHosts());
    json.writeEndObject();
    json.writeName("summary");
    json.writeStartObject();
    json.writeNumberProperty("total-successful-session-count", result.successes());
    json.writeNumberProperty("total-failure-session-count", result.failures());
    json.writeEndObject();
    if (!result.details().isEmpty()) {
      json.writeName("failure-details");
      json.writeStartArray();
      for (var each : result.details()) {
        var detail = each.detail();
        json.writeStartObject();
        json.writeStringProperty("result-type", detail.resultType());
        known(json, "sending-mta-ip", detail.sendingIp());
        known(json, "receiving-mx-hostname", detail.receivingHost());
        known(json, "receiving-ip", detail.receivingIp());
        json.writeNumberProperty("failed-session-count", each.sessions());
        known(json, "failure-reason-code", detail.reason());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void known(JsonGenerator json, String name, String value) {
    if (!value.isEmpty()) {
      json.writeStringProperty(name, value);
    }
  }

  private static void list(JsonGenerator json, String name, List<String> values) {
    if (!values.isEmpty()) {
      json.writeName(name);
      json.writeStartArray();
      values.forEach(json::writeString);
      json.writeEndArray();
    }
  }

  static TlsReport read(byte[] octets, int octetsMax) throws MalformedReport {
    if (octets.length > octetsMax) {
      throw new MalformedReport("more than " + octetsMax + " octets");
    }
    try (var json = JSON.createParser(ObjectReadContext.empty(), octets)) {
      var reading = new Reading(json);
      json.nextToken();
      var report = reading.report();
      if (json.nextToken() != null) {
        throw new MalformedReport("something behind the report");
      }
      return report;
    } catch (JacksonException e) {
      throw new MalformedReport("no JSON that can be read");
    }
  }

  /// One file that is read; each method stands on the first token of what it reads, and ends on the
  /// last.
  private static final class Reading {

    private final JsonParser json;
    private int details;

    Reading(JsonParser json) {
      this.json = json;
    }

    TlsReport report() throws MalformedReport {
      var organization = "";
      var contact = "";
      var id = "";
      Instant[] range = null;
      List<PolicyResult> policies = null;
      object("the report");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "organization-name" -> organization = text(name);
          case "contact-info" -> contact = text(name);
          case "report-id" -> id = text(name);
          case "date-range" -> range = range();
          case "policies" -> policies = policies();
          default -> json.skipChildren();
        }
      }
      if (range == null || policies == null || id.isEmpty()) {
        throw new MalformedReport("a report without date-range, policies or report-id");
      }
      return new TlsReport(organization, range[0], range[1], contact, id, policies);
    }

    private Instant[] range() throws MalformedReport {
      Instant begin = null;
      Instant end = null;
      object("date-range");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "start-datetime" -> begin = time(name);
          case "end-datetime" -> end = time(name);
          default -> json.skipChildren();
        }
      }
      if (begin == null || end == null || end.isBefore(begin)) {
        throw new MalformedReport("a date-range that is none");
      }
      return new Instant[] {begin, end};
    }

    private Instant time(String name) throws MalformedReport {
      try {
        return OffsetDateTime.parse(text(name)).toInstant();
      } catch (DateTimeException e) {
        throw new MalformedReport(name + " is no time");
      }
    }

    private List<PolicyResult> policies() throws MalformedReport {
      var policies = new ArrayList<PolicyResult>();
      array("policies");
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (policies.size() == POLICIES_MAX) {
          throw new MalformedReport("more than " + POLICIES_MAX + " policies");
        }
        policies.add(result());
      }
      return policies;
    }

    private PolicyResult result() throws MalformedReport {
      AppliedPolicy policy = null;
      long[] summary = null;
      List<PolicyResult.Counted> failures = List.of();
      object("policies");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "policy" -> policy = policy();
          case "summary" -> summary = summary();
          case "failure-details" -> failures = details();
          default -> json.skipChildren();
        }
      }
      if (policy == null || summary == null) {
        throw new MalformedReport("a result without policy or summary");
      }
      return new PolicyResult(policy, summary[0], summary[1], failures);
    }

    private AppliedPolicy policy() throws MalformedReport {
      var type = "";
      var domain = "";
      List<String> strings = List.of();
      List<String> hosts = List.of();
      object("policy");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "policy-type" -> type = text(name);
          case "policy-string" -> strings = texts(name);
          case "policy-domain" -> domain = text(name);
          case "mx-host", "mx-host-pattern" -> hosts = texts(name);
          default -> json.skipChildren();
        }
      }
      if (type.isEmpty() || domain.isEmpty()) {
        throw new MalformedReport("a policy without policy-type or policy-domain");
      }
      return new AppliedPolicy(type, strings, domain, hosts);
    }

    private long[] summary() throws MalformedReport {
      long successes = -1;
      long failures = -1;
      object("summary");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "total-successful-session-count" -> successes = count(name);
          case "total-failure-session-count" -> failures = count(name);
          default -> json.skipChildren();
        }
      }
      if (successes < 0 || failures < 0) {
        throw new MalformedReport("a summary without its counts");
      }
      return new long[] {successes, failures};
    }

    private List<PolicyResult.Counted> details() throws MalformedReport {
      if (json.currentToken() == JsonToken.VALUE_NULL) {
        return List.of();
      }
      var counted = new ArrayList<PolicyResult.Counted>();
      array("failure-details");
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (++details > DETAILS_MAX) {
          throw new MalformedReport("more than " + DETAILS_MAX + " failure-details");
        }
        counted.add(detail());
      }
      return counted;
    }

    private PolicyResult.Counted detail() throws MalformedReport {
      var type = "";
      var sendingIp = "";
      var host = "";
      var ip = "";
      var reason = "";
      long sessions = 0;
      object("failure-details");
      for (var name = next(); name != null; name = next()) {
        switch (name) {
          case "result-type" -> type = text(name);
          case "sending-mta-ip" -> sendingIp = text(name);
          case "receiving-mx-hostname" -> host = text(name);
          case "receiving-ip" -> ip = text(name);
          case "failure-reason-code" -> reason = text(name);
          case "failed-session-count" -> sessions = count(name);
          default -> json.skipChildren();
        }
      }
      if (type.isEmpty()) {
        throw new MalformedReport("a failure without result-type");
      }
      return new PolicyResult.Counted(
          new FailureDetail(type, sendingIp, host, ip, reason), sessions);
    }

    /// The name of the next property, its value being the current token; null at the object's end.
    private @Nullable String next() throws MalformedReport {
      if (json.nextToken() == JsonToken.END_OBJECT) {
        return null;
      }
      var name = json.currentName();
      json.nextToken();
      return name == null ? "" : name;
    }

    private void object(String what) throws MalformedReport {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw new MalformedReport(what + " is no object");
      }
    }

    private void array(String what) throws MalformedReport {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw new MalformedReport(what + " is no array");
      }
    }

    private String text(String name) throws MalformedReport {
      if (json.currentToken() == JsonToken.VALUE_NULL) {
        return "";
      }
      if (json.currentToken() != JsonToken.VALUE_STRING) {
        throw new MalformedReport(name + " is no text");
      }
      var text = json.getString();
      var shown = new StringBuilder(text.length());
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        shown.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '\ufffd' : c);
      }
      return shown.toString();
    }

    private List<String> texts(String name) throws MalformedReport {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        var text = text(name);
        return text.isEmpty() ? List.of() : List.of(text);
      }
      var texts = new ArrayList<String>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (texts.size() == STRINGS_MAX) {
          throw new MalformedReport("more than " + STRINGS_MAX + " of " + name);
        }
        texts.add(text(name));
      }
      return texts;
    }

    private long count(String name) throws MalformedReport {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw new MalformedReport(name + " is no whole number");
      }
      long count = json.getLongValue();
      if (count < 0 || count > COUNT_MAX) {
        throw new MalformedReport(name + " is no number of sessions");
      }
      return count;
    }
  }
}
