package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import longhand.mail.Domain;

/// A domain with keys, its DNS, and messages to sign.
final class Messages {

  static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-24T12:00:00Z"), ZoneOffset.UTC);
  static final Domain DOMAIN = new Domain("example.org");
  static final DkimKey RSA = DkimKey.make("r2026", DkimAlgorithm.RSA_SHA256);
  static final DkimKey ED25519 = DkimKey.make("e2026", DkimAlgorithm.ED25519_SHA256);
  static final List<DkimKey> KEYS = List.of(RSA, ED25519);

  static final String PLAIN =
      """
      From: Ana <ana@example.org>
      To: jbob@example.com,
      \tother@example.com
      Subject:  Hello   there
      Date: Tue, 24 Nov 2026 12:00:00 +0000
      Message-ID: <1@example.org>
      MIME-Version: 1.0
      Content-Type: text/plain; charset=utf-8
      List-Id: <list.example.org>

      Hello  Bob,
       \t indented\t

      last line
      """
          .replace("\n", "\r\n");

  private Messages() {}

  static Map<String, String> dns() {
    var dns = new HashMap<String, String>();
    for (var key : KEYS) {
      dns.put(key.selector() + "._domainkey." + DOMAIN, key.publicText());
    }
    return dns;
  }

  static String fields(List<DkimKey> keys, String message) {
    var signing = new DkimSigner(DOMAIN, keys, CLOCK, Optional.empty()).begin();
    var octets = message.getBytes(ISO_8859_1);
    signing.write(octets, 0, octets.length);
    return switch (signing.finish()) {
      case DkimSigner.Outcome.Signed(var fields) -> new String(fields, ISO_8859_1);
      case DkimSigner.Outcome.Refused(var why) -> throw new AssertionError(why);
    };
  }

  static String signed(List<DkimKey> keys, String message) {
    return fields(keys, message) + message;
  }

  static DkimVerifier.Results verify(Map<String, String> dns, byte[] message) {
    var verification =
        new DkimVerifier(
                name -> {
                  var text = dns.get(name);
                  return text == null ? new KeyAnswer.None() : new KeyAnswer.Found(List.of(text));
                },
                CLOCK)
            .begin();
    verification.write(message, 0, message.length);
    return verification.finish();
  }

  static List<DkimResult> results(Map<String, String> dns, String message) {
    return verify(dns, message.getBytes(ISO_8859_1)).results();
  }

  static List<String> words(Map<String, String> dns, String message) {
    return results(dns, message).stream().map(DkimResult::word).toList();
  }
}
