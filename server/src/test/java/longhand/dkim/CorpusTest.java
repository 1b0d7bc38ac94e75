package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import longhand.message.Header;
import longhand.message.HeaderField;
import longhand.message.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/// The corpus of Mail::DKIM. Most of it is from the years before RFC 6376 and signed with SHA-1 and
/// keys of 512 bits, so that today's verdict is seldom its own. Both are tested: the verdict, and
/// that canonical forms and hashes are what the signers of then had.
class CorpusTest {

  /// DomainKeys (RFC 4870, historic), another protocol with fields of another name.
  private static boolean isDomainKeys(String name) {
    return name.contains("dk_") && !name.contains("ed25519");
  }

  /// What becomes of the signatures of each message, the topmost first, and why.
  private static final Map<String, String> VERDICTS = new TreeMap<>();

  static {
    // Drafts: no v=, or one that is not 1.
    for (var name :
        List.of(
            "bad_1",
            "bad_ietf01_1",
            "bad_ietf01_2",
            "bad_ietf01_3",
            "badkey_1",
            "badkey_2",
            "badkey_3",
            "badkey_4",
            "badkey_5",
            "badkey_6",
            "badkey_7",
            "good_ietf00_1",
            "good_ietf00_2",
            "good_ietf00_3",
            "good_ietf00_4",
            "good_ietf00_5",
            "good_ietf01_1",
            "good_ietf01_2",
            "ignore_1",
            "ignore_2",
            "ignore_3",
            "ignore_4",
            "mine_ietf01_1",
            "mine_ietf01_2",
            "mine_ietf01_3",
            "mine_ietf01_4",
            "mine_ietf05_1",
            "no_body_1",
            "no_body_2",
            "no_body_3")) {
      VERDICTS.put(name, "neutral");
    }
    VERDICTS.put("multiple_1", "neutral neutral neutral neutral");
    // Version 1 with SHA-1.
    for (var name :
        List.of(
            "bad_1878954",
            "badkey_8",
            "badkey_9",
            "badkey_10",
            "badkey_12",
            "badkey_13",
            "badkey_14",
            "badkey_15",
            "good_1878523",
            "good_83176",
            "good_qp_1",
            "good_qp_2",
            "good_qp_3",
            "good_rfc4871_3",
            "good_rfc4871_4",
            "goodkey_1",
            "goodkey_2",
            "goodkey_3",
            "goodkey_4",
            "ignore_7")) {
      VERDICTS.put(name, "policy");
    }
    // An unknown form, two with SHA-1, and no list of tags.
    VERDICTS.put("multiple_2", "neutral policy policy neutral");
    // The key's h= is md5:sha1.
    VERDICTS.put("badkey_11", "permerror");
    // Keys asked for by q=http and q=dns/special.
    VERDICTS.put("ignore_5", "neutral");
    VERDICTS.put("ignore_6", "neutral");
    // SHA-1 is said before i= of another domain.
    VERDICTS.put("ignore_8", "policy");
    VERDICTS.put("goodkey_ed25519", "pass");
    // Their bodies or headers were changed too, which is found before the key is asked for. Keys
    // with ASN.1 around them, without a record or with an empty one: see DkimTest.
    for (int i = 1; i <= 5; i++) {
      VERDICTS.put("badkey" + i + "_ed25519", "fail");
    }
  }

  /// Signatures of draft 00 sign header and body in one and have no bh=.
  private static final Set<String> DRAFT_00 =
      Set.of("good_ietf00_1", "good_ietf00_2", "good_ietf00_3", "good_ietf00_4", "good_ietf00_5");

  private static Path folder() {
    var folder = SharedData.folder("dkim-mail-dkim");
    assumeTrue(folder.isPresent(), "skipped: shared/data/dkim-mail-dkim is not here");
    return folder.get();
  }

  private static Map<String, byte[]> messages(TestReporter reporter) throws IOException {
    var messages = new TreeMap<String, byte[]>();
    var skipped = new ArrayList<String>();
    for (var file : SharedData.files(folder().resolve("corpus"), ".txt")) {
      var name = file.getFileName().toString().replace(".txt", "");
      if (isDomainKeys(name)) {
        skipped.add(name);
      } else {
        messages.put(name, SharedData.crlf(Files.readAllBytes(file)));
      }
    }
    reporter.publishEntry("skipped, DomainKeys is historic and not spoken", skipped.toString());
    return messages;
  }

  private static Map<String, KeyAnswer> dns() throws IOException {
    var dns = new HashMap<String, KeyAnswer>();
    for (var line : Files.readAllLines(folder().resolve("FAKE_DNS.dat"), UTF_8)) {
      int space = line.indexOf(' ');
      if (line.startsWith("#") || space < 0) {
        continue;
      }
      var text = line.substring(space).strip();
      dns.put(
          line.substring(0, space),
          text.equals("NXDOMAIN")
              ? new KeyAnswer.None()
              : text.startsWith("~~")
                  ? new KeyAnswer.Failed()
                  : new KeyAnswer.Found(List.of(text.equals("\"\"") ? "" : text)));
    }
    return dns;
  }

  @Test
  void verdictsAreTodays(TestReporter reporter) throws IOException {
    var dns = dns();
    var verdicts = new TreeMap<String, String>();
    var told = new ArrayList<String>();
    for (var entry : messages(reporter).entrySet()) {
      var verification =
          new DkimVerifier(name -> dns.getOrDefault(name, new KeyAnswer.None()), Clock.systemUTC())
              .begin();
      verification.write(entry.getValue(), 0, entry.getValue().length);
      var results = verification.finish().results();
      told.add(entry.getKey() + " " + results);
      verdicts.put(
          entry.getKey(), String.join(" ", results.stream().map(DkimResult::word).toList()));
    }
    assertThat(verdicts).as(String.join("\n", told)).isEqualTo(VERDICTS);
  }

  /// The signatures of then hold with our canonical forms and hashes, those made to be bad do not.
  @Test
  void mathematicsIsThatOfThen(TestReporter reporter) throws Exception {
    int held = 0;
    int failed = 0;
    for (var entry : messages(reporter).entrySet()) {
      var name = entry.getKey();
      boolean good =
          (name.startsWith("good") || name.startsWith("mine") || name.startsWith("no_body"))
              && !DRAFT_00.contains(name);
      boolean bad = name.startsWith("bad_");
      if (good && !name.contains("ed25519")) {
        assertThat(holds(entry.getValue())).as(name).isTrue();
        held++;
      } else if (bad) {
        assertThat(holds(entry.getValue())).as(name).isFalse();
        failed++;
      }
    }
    assertThat(held).isGreaterThanOrEqualTo(20);
    assertThat(failed).isEqualTo(5);
  }

  private static boolean holds(byte[] message) throws Exception {
    var text = new String(message, ISO_8859_1);
    int empty = text.indexOf("\r\n\r\n");
    int headerEnd = empty < 0 ? message.length : empty + 2;
    var header = Header.of(message, 0, headerEnd);
    HeaderField field = header.first("DKIM-Signature").orElseThrow();
    var tags = (TagList.Read) TagList.of(message, field.valueStart(), field.end());
    boolean sha1 = value(tags, "a").equals("rsa-sha1");
    var forms = value(tags, "c").split("/", -1);
    var body =
        new BodyHash(
            form(forms.length > 1 ? forms[1] : "simple"),
            MessageDigest.getInstance(sha1 ? "SHA-1" : "SHA-256"),
            Long.MAX_VALUE);
    int bodyStart = Math.min(message.length, headerEnd + 2);
    body.update(message, bodyStart, message.length - bodyStart);
    var bodyHash = tags.tag("bh").orElseThrow().base64();
    if (bodyHash.isEmpty() || !MessageDigest.isEqual(body.finish(), bodyHash.get())) {
      return false;
    }
    var answer = dns().get(value(tags, "s") + "._domainkey." + value(tags, "d"));
    var record = ((KeyAnswer.Found) java.util.Objects.requireNonNull(answer)).texts().getFirst();
    var octets = record.getBytes(UTF_8);
    var key = (TagList.Read) TagList.of(octets, 0, octets.length);
    var b = tags.tag("b").orElseThrow();
    var signature = Signature.getInstance(sha1 ? "SHA1withRSA" : "SHA256withRSA");
    signature.initVerify(
        KeyFactory.getInstance("RSA")
            .generatePublic(
                new X509EncodedKeySpec(
                    Base64.getDecoder().decode(key.tag("p").orElseThrow().compact()))));
    signature.update(
        new SignedFields(header)
            .canonical(
                tags.tag("h").orElseThrow().parts(), form(forms[0]), field, b.from(), b.to()));
    var signed = b.base64();
    try {
      return signed.isPresent() && signature.verify(signed.get());
    } catch (SignatureException e) {
      // Not as long as its key.
      return false;
    }
  }

  private static String value(TagList.Read tags, String name) {
    return tags.tag(name).orElseThrow().value();
  }

  private static Canonicalization form(String name) {
    return name.equals("relaxed") ? Canonicalization.RELAXED : Canonicalization.SIMPLE;
  }
}
