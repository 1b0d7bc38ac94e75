package longhand.dkim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Signing, verifying, and every reason not to pass.
class DkimTest {

  private static final String SIGNED = Messages.signed(Messages.KEYS, Messages.PLAIN);

  @Test
  void whatIsSignedVerifiesWithBothKeys() {
    var results = Messages.results(Messages.dns(), SIGNED);
    assertThat(results)
        .hasSize(2)
        .allSatisfy(
            result -> {
              assertThat(result).isInstanceOf(DkimResult.Pass.class);
              assertThat(result.sentence()).isEqualTo("The message was signed by example.org.");
            });
    assertThat(((DkimResult.Pass) results.getLast()).claim().algorithm())
        .isEqualTo("ed25519-sha256");
  }

  @Test
  void fieldsAreFoldedAndOversigned() {
    var fields = Messages.fields(Messages.KEYS, Messages.PLAIN);
    for (var line : fields.split("\r\n", -1)) {
      assertThat(line.length()).isLessThanOrEqualTo(78);
    }
    var flat = fields.replace("\r\n ", "");
    assertThat(flat).contains("h=From:From:To:To:Cc:Subject:Subject:").doesNotContain("l=");
    assertThat(flat).contains("MIME-Version:MIME-Version:List-Id;").doesNotContain("Sender");
    assertThat(flat).contains("t=1795521600;").doesNotContain("x=");
  }

  @Test
  void relaxedBearsFoldingAndSpaces() {
    var changed =
        SIGNED
            .replace("Subject:  Hello   there", "SUBJECT: Hello\r\n\tthere ")
            .replace("Hello  Bob", "Hello \t Bob");
    assertThat(Messages.words(Messages.dns(), changed + "\r\n\r\n"))
        .containsExactly("pass", "pass");
  }

  /// Names of fields may change their letter case and nothing else may change at all.
  @Test
  void anyFlippedBitFails() {
    var dns = Map.of("e2026._domainkey.example.org", Messages.ED25519.publicText());
    var fields = Messages.fields(List.of(Messages.ED25519), Messages.PLAIN);
    var octets = (fields + Messages.PLAIN).getBytes(ISO_8859_1);
    int body = fields.length() + Messages.PLAIN.indexOf("\r\n\r\n");
    int harmless = 0;
    boolean inName = true;
    for (int i = fields.length(); i < octets.length; i++) {
      inName = i < body && (octets[i - 1] == '\n' ? octets[i] != '\t' : inName && octets[i] != ':');
      for (int bit = 0; bit < 8; bit++) {
        var flipped = octets.clone();
        flipped[i] ^= (byte) (1 << bit);
        boolean pass =
            Messages.verify(dns, flipped).results().stream()
                .anyMatch(result -> result instanceof DkimResult.Pass);
        boolean sameName = inName && bit == 5 && Character.isLetter(octets[i]);
        assertThat(pass).as("octet %d bit %d", i - fields.length(), bit).isEqualTo(sameName);
        harmless += sameName ? 1 : 0;
      }
    }
    assertThat(harmless).isBetween(50, 70);
  }

  @Test
  void addedFieldsBreakOversigned() {
    var names =
        List.of("From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID", "Content-Type");
    for (var name : names) {
      var top = name + ": evil@example.net\r\n" + SIGNED;
      var below = SIGNED.replace("List-Id:", name + ": evil@example.net\r\nList-Id:");
      assertThat(Messages.words(Messages.dns(), top)).as(name).containsOnly("fail");
      assertThat(Messages.words(Messages.dns(), below)).as(name).containsOnly("fail");
    }
    var list = "List-Post: <mailto:a@example.org>\r\nSender: list@example.net\r\n" + SIGNED;
    assertThat(Messages.words(Messages.dns(), list)).containsOnly("pass");
  }

  @Test
  void whatIsNotSigned() {
    assertThat(refused("To: a@b.example\r\n\r\nx")).contains("0 fields From");
    assertThat(refused("From: a@b.example\r\nfrom: c@b.example\r\n\r\nx")).contains("2 fields");
    assertThat(refused("From: a@b.example\nTo: c@b.example\r\n\r\nx")).contains("CRLF");
    assertThat(refused("From: a@b.example\r\n" + "List-Id: <x>\r\n".repeat(200) + "\r\nx"))
        .contains("more than 100");
    assertThat(refused("From: a@b.example\r\nX: " + "x".repeat(1 << 20))).contains("longer");
  }

  private static String refused(String message) {
    var signing =
        new DkimSigner(Messages.DOMAIN, Messages.KEYS, Messages.CLOCK, Optional.empty()).begin();
    signing.write(message.getBytes(ISO_8859_1), 0, message.length());
    return ((DkimSigner.Outcome.Refused) signing.finish()).why();
  }

  @Test
  void expires() {
    var signer =
        new DkimSigner(
            Messages.DOMAIN, Messages.KEYS, Messages.CLOCK, Optional.of(Duration.ofDays(7)));
    var signing = signer.begin();
    signing.write(Messages.PLAIN.getBytes(ISO_8859_1), 0, Messages.PLAIN.length());
    var fields = new String(((DkimSigner.Outcome.Signed) signing.finish()).fields(), ISO_8859_1);
    assertThat(wordsAt("2026-12-01T12:00:00Z", fields)).containsOnly("pass");
    assertThat(wordsAt("2026-12-01T12:00:01Z", fields)).containsOnly("policy");
  }

  private static List<String> wordsAt(String instant, String fields) {
    var clock = Clock.fixed(Instant.parse(instant), ZoneOffset.UTC);
    var verification =
        new DkimVerifier(
                name -> new KeyAnswer.Found(List.of(Messages.dns().getOrDefault(name, ""))), clock)
            .begin();
    var octets = (fields + Messages.PLAIN).getBytes(ISO_8859_1);
    verification.write(octets, 0, octets.length);
    return verification.finish().results().stream().map(DkimResult::word).toList();
  }

  /// Each record in place of the Ed25519 key's, with what becomes of the signature.
  @Test
  void keyRecords() {
    var good = Messages.ED25519.publicText();
    var p = good.substring(good.indexOf("p="));
    assertRecord("pass", good);
    assertRecord("pass", "k=ed25519; unknown=1; n=any; g=*; " + p + ";");
    assertRecord("pass", "k=ed25519; h=sha1 : sha256; s=tlsrpt:email; t=s; " + p);
    assertRecord("pass", "k=ed25519; t=y:s; " + p);
    assertRecord("permerror", "k=rsa; " + p);
    assertRecord("permerror", p);
    assertRecord("permerror", "k=ed25519; h=sha1; " + p);
    assertRecord("permerror", "k=ed25519; s=tlsrpt; " + p);
    assertRecord("permerror", "k=ed25519; v=DKIM1; " + p);
    assertRecord("permerror", "v=DKIM2; k=ed25519; " + p);
    assertRecord("permerror", "k=ed25519; p=");
    assertRecord("permerror", "k=ed25519");
    assertRecord("permerror", "k=ed25519; " + p + "; " + p);
    assertRecord("permerror", "");
    assertRecord("permerror", "k=ed25519; p=!!!!");
    assertRecord("permerror", "k=ed25519; p=MCowBQYDK2VwAyEA3SUqa9UbfciWkk7tlcJ9P1VD5pXA");
    assertRecord("fail", DkimKey.make("x", DkimAlgorithm.ED25519_SHA256).publicText());
  }

  private static void assertRecord(String word, String record) {
    var dns = Map.of("e2026._domainkey.example.org", record);
    var signed = Messages.signed(List.of(Messages.ED25519), Messages.PLAIN);
    var results = Messages.results(dns, signed);
    assertThat(results.getFirst().word()).as(record + " " + results).isEqualTo(word);
    if (results.getFirst() instanceof DkimResult.Pass pass) {
      assertThat(pass.testing()).isEqualTo(record.contains("t=y"));
    }
  }

  @Test
  void shortAndHugeRsaKeysAreNotAccepted() throws Exception {
    for (int bits : List.of(512, 1023, 4097)) {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(bits);
      var key = generator.generateKeyPair();
      var record = "p=" + Base64.getEncoder().encodeToString(key.getPublic().getEncoded());
      var dns = Map.of("r2026._domainkey.example.org", record);
      assertThat(Messages.words(dns, Messages.signed(List.of(Messages.RSA), Messages.PLAIN)))
          .containsExactly("policy");
      assertThat(
              DkimKey.ofPem(
                  "x",
                  "-----BEGIN PRIVATE KEY-----\n"
                      + Base64.getMimeEncoder().encodeToString(key.getPrivate().getEncoded())
                      + "\n-----END PRIVATE KEY-----\n"))
          .isEmpty();
    }
  }

  /// The form RFC 6376 §3.6.1 speaks of: without the algorithm around it.
  @Test
  void bareRsaKeyIsRead() {
    var text = Messages.RSA.publicText();
    var der = Base64.getDecoder().decode(text.substring(text.indexOf("p=") + 2));
    var bare = Base64.getEncoder().encodeToString(Arrays.copyOfRange(der, 24, der.length));
    var dns = Map.of("r2026._domainkey.example.org", "p=" + bare);
    assertThat(Messages.words(dns, Messages.signed(List.of(Messages.RSA), Messages.PLAIN)))
        .containsExactly("pass");
  }

  /// Each change of a signature, with what becomes of it; most are decided before the key is asked
  /// for, and then no key is asked for.
  @Test
  void signatures() {
    assertChanged("neutral", "v=1;", "v=2;");
    assertChanged("neutral", "v=1;", "");
    assertChanged("neutral", "v=1;", "v=1; v=1;");
    assertChanged("neutral", "v=1;", "v=1; =;");
    assertChanged("neutral", "v=1;", "v=1; z;");
    assertChanged("neutral", "v=1;", "v=1; q=http;");
    assertChanged("neutral", "v=1;", "v=1; x=5;");
    assertChanged("neutral", "v=1;", "v=1; x=abc;");
    assertChanged("neutral", "v=1;", "v=1; l=-1;");
    assertChanged("neutral", "v=1;", "v=1; i=nowhere;");
    assertChanged("neutral", "v=1;", "v=1; i=a=4@example.org;");
    assertChanged("neutral", "ed25519-sha256", "ed25519-sha512");
    assertChanged("policy", "ed25519-sha256", "rsa-sha1");
    assertChanged("neutral", "c=relaxed/relaxed", "c=nofws");
    assertChanged("neutral", "d=example.org", "d=exa mple.org");
    assertChanged("neutral", "d=example.org", "d=" + "a".repeat(64) + ".org");
    assertChanged("neutral", "s=e2026", "s=");
    assertChanged("neutral", "bh=", "bh=!");
    assertChanged("neutral", "From:From:", "Fr om:From:");
    assertChanged("permerror", "From:From:", "");
    assertChanged("permerror", "v=1;", "v=1; i=ana@example.net;");
    assertChanged("permerror", "v=1;", "v=1; i=ana@badexample.org;");
    assertChanged("permerror", "v=1;", "v=1; l=" + "9".repeat(76) + ";");
    assertChanged("fail", "bh=", "bh=AAAA");
    assertChanged("fail", "v=1;", "v=1; unknown=1;");
    assertChanged("fail", "v=1;", "v=1; l=3;");
    assertChanged("permerror", "s=e2026", "s=e2027");
  }

  private static void assertChanged(String word, String from, String to) {
    var signed = Messages.signed(List.of(Messages.ED25519), Messages.PLAIN);
    var end = signed.indexOf("\r\nFrom");
    var field = signed.substring(0, end).replace("\r\n ", "");
    assertThat(field).contains(from);
    var changed =
        field.replaceFirst(java.util.regex.Pattern.quote(from), to) + signed.substring(end);
    assertThat(Messages.words(Messages.dns(), changed)).as(to).containsExactly(word);
  }

  @Test
  void answersOfDns() {
    assertThat(wordFor(new KeyAnswer.Failed())).isEqualTo("temperror");
    assertThat(wordFor(new KeyAnswer.None())).isEqualTo("permerror");
    assertThat(wordFor(new KeyAnswer.Found(List.of()))).isEqualTo("permerror");
    var text = Messages.ED25519.publicText();
    assertThat(wordFor(new KeyAnswer.Found(List.of(text, text)))).isEqualTo("permerror");
  }

  private static String wordFor(KeyAnswer answer) {
    var verification = new DkimVerifier(_ -> answer, Messages.CLOCK).begin();
    var octets = Messages.signed(List.of(Messages.ED25519), Messages.PLAIN).getBytes(ISO_8859_1);
    verification.write(octets, 0, octets.length);
    return verification.finish().results().getFirst().word();
  }

  @Test
  void onlySomeSignaturesAreLookedAt() {
    var asked = new java.util.ArrayList<String>();
    var verification =
        new DkimVerifier(
                name -> {
                  asked.add(name);
                  return new KeyAnswer.None();
                },
                Messages.CLOCK)
            .begin();
    var field = Messages.fields(List.of(Messages.ED25519), Messages.PLAIN);
    var octets = (field.repeat(50) + Messages.PLAIN).getBytes(ISO_8859_1);
    verification.write(octets, 0, octets.length);
    var results = verification.finish();
    assertThat(results.results()).hasSize(DkimVerifier.SIGNATURES_MAX);
    assertThat(results.notLookedAt()).isEqualTo(42);
    assertThat(asked).hasSize(DkimVerifier.SIGNATURES_MAX);
  }

  @Test
  void keysComeBackFromPem() {
    for (var key : Messages.KEYS) {
      var read = DkimKey.ofPem(key.selector(), key.toPem()).orElseThrow();
      assertThat(read.publicText()).isEqualTo(key.publicText());
      assertThat(read.toPem()).isEqualTo(key.toPem());
      assertThat(read.toString()).doesNotContain("MI");
    }
    assertThat(DkimKey.ofPem("x", "no key")).isEmpty();
    assertThat(DkimKey.ofPem("x", Messages.RSA.toPem().substring(0, 300))).isEmpty();
    assertThatThrownBy(() -> DkimKey.make("a.b", DkimAlgorithm.ED25519_SHA256))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void zoneLineIsInStringsThatFit() {
    var line = Messages.RSA.zoneLine(Messages.DOMAIN);
    assertThat(line).startsWith("r2026._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p=");
    var together = new StringBuilder();
    var quoted = line.split("\"", -1);
    for (int i = 1; i < quoted.length; i += 2) {
      assertThat(quoted[i].length()).isBetween(1, 255);
      together.append(quoted[i]);
    }
    assertThat(together.toString()).isEqualTo(Messages.RSA.publicText());
  }

  /// RFC 8463 appendix A: one message with both signatures, and our Ed25519 with the key of the
  /// appendix, published as there.
  @Test
  void exampleOfRfc8463() {
    var message =
        """
        DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=brisbane; t=1528637909; h=from : to :
         subject : date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
         Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
        DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
         d=football.example.com; i=@football.example.com;
         q=dns/txt; s=test; t=1528637909; h=from : to : subject :
         date : message-id : from : subject : date;
         bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
         b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
         DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
         dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
        From: Joe SixPack <joe@football.example.com>
        To: Suzie Q <suzie@shopping.example.net>
        Subject: Is dinner ready?
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
        Message-ID: <20030712040037.46341.5F8J@football.example.com>

        Hi.

        We lost the game.  Are you hungry yet?

        Joe.
        """
            .replace("\n", "\r\n");
    var dns =
        Map.of(
            "brisbane._domainkey.football.example.com",
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "test._domainkey.football.example.com",
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                + "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
                + "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
                + "Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
    assertThat(Messages.words(dns, message)).containsExactly("pass", "pass");
    assertThat(Messages.words(dns, message.replace("hungry", "angry"))).containsOnly("fail");
    var seed = Base64.getDecoder().decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
    var der = new byte[48];
    System.arraycopy(
        java.util.HexFormat.of().parseHex("302e020100300506032b657004220420"), 0, der, 0, 16);
    System.arraycopy(seed, 0, der, 16, 32);
    var key =
        DkimKey.ofPem(
                "brisbane",
                "-----BEGIN PRIVATE KEY-----\n"
                    + Base64.getEncoder().encodeToString(der)
                    + "\n-----END PRIVATE KEY-----")
            .orElseThrow();
    assertThat(key.publicText()).isEqualTo(dns.get("brisbane._domainkey.football.example.com"));
  }

  /// RFC 6376 appendix A.2 is made with its key of appendix C and simple/simple.
  @Test
  void exampleOfRfc6376() {
    var message =
        """
        DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
              c=simple/simple; q=dns/txt; i=joe@football.example.com;
              h=Received : From : To : Subject : Date : Message-ID;
              bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
              b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
              4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
              KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
              4bmp/YzhwvcubU4=;
        """
            .replace("\n", "\r\n");
    var field =
        DkimSignature.of(
            longhand.message.Header.of(message.getBytes(ISO_8859_1)).fields().getFirst());
    var read = (DkimSignature.Wellformed) field;
    assertThat(read.claim().identity()).isEqualTo("joe@football.example.com");
    assertThat(read.fields())
        .containsExactly("Received", "From", "To", "Subject", "Date", "Message-ID");
    var body =
        "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n".getBytes(ISO_8859_1);
    var hash = new BodyHash(Canonicalization.SIMPLE, Crypto.sha256(), Long.MAX_VALUE);
    hash.update(body, 0, body.length);
    assertThat(MessageDigest.isEqual(hash.finish(), read.bodyHash())).isTrue();
  }
}
