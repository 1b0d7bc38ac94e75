package longhand.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;

/// Addresses, parameters, encoded-words, bodies: what header text means.
@SuppressWarnings("StringConcatToTextBlock")
class HeaderTextTest {

  private static byte[] octets(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String addresses(String value) {
    var all = new StringJoiner(" ");
    for (var address : HeaderAddress.list(octets(value))) {
      all.add(
          switch (address) {
            case HeaderAddress.One(var name, var route, var local, var host) ->
                (name == null ? "" : name + "=")
                    + (route == null ? "" : route + ":")
                    + local
                    + "@"
                    + host;
            case HeaderAddress.GroupStart(var name) -> name + "{";
            case HeaderAddress.GroupEnd _ -> "}";
          });
    }
    return all.toString();
  }

  @Test
  void addressLists() {
    assertEquals("a@b.c", addresses("a@b.c"));
    assertEquals(
        "Joe Q. Public=john.q.public@example.com",
        addresses("Joe Q. Public <john.q.public@example.com>"));
    assertEquals("Joe, Q.=a@b c@d", addresses("\"Joe, Q.\" <a@b>, c@d"));
    assertEquals(
        "Giant; \"Big\" Box=sysservices@example.net",
        addresses("\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"));
    assertEquals(
        "A Group{ Ed Jones=c@a.test joe@where.test John=jdoe@one.test }",
        addresses("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"));
    assertEquals("Undisclosed recipients{ }", addresses("Undisclosed recipients:;"));
    assertEquals("Undisclosed{ }", addresses("(Empty list)(start)Undisclosed  :(nobody) ;"));
    assertEquals(
        "Pete=pete@silly.test",
        addresses("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"));
    assertEquals("Full Name=u@h", addresses("u@h (Full Name)"));
    assertEquals("x=@a,@b:c@d", addresses("x <@a,@b:c@d>"));
    assertEquals("john.q@x.y", addresses("john . q @ x . y"));
    assertEquals("a b@[1.2.3.4]", addresses("\"a b\"@[1.2.3.4]"));
    assertEquals("@", addresses("<>"));
    assertEquals("a@", addresses("a"));
    assertEquals("a@x=b@y", addresses("a@x <b@y>"));
    assertEquals("\u00fc=a@b", addresses("\u00fc <a@b>"));
    assertEquals("a@b c@d", addresses(",,a@b,,,c@d,,"));
    assertEquals("a@b", addresses("<a@b"));
    assertEquals("", addresses("(((((("));
    assertEquals("", addresses("\""));
    assertEquals("a@b", addresses("a@b ("));
    assertEquals("", addresses(""));
  }

  @Test
  void addressesEndAtTheirLimit() {
    assertThat(HeaderAddress.list(octets("a@b,".repeat(5_000))))
        .hasSize(HeaderAddress.ADDRESSES_MAX);
  }

  @Test
  void parameters() {
    var value =
        MimeValue.of(octets("text/plain (c); CHARSET=\"utf-8\" ; name = a b.txt;x;=;y=\"\\\"\""));
    assertEquals("text", value.type());
    assertEquals("plain", value.subtype());
    assertThat(value.raw("charset")).contains("utf-8");
    assertThat(value.raw("name")).contains("a b.txt");
    assertThat(value.raw("y")).contains("\"");
    assertThat(value.parameters()).hasSize(3);
    assertThat(MimeValue.of(octets("multipart/mixed\tboundary=\"b\"")).raw("boundary"))
        .contains("b");
    assertThat(MimeValue.of(octets("a/b; x=1; x=2")).parameters()).hasSize(1);
    assertThat(MimeValue.of(octets("a/b" + ";p".repeat(10) + "; q=\"")).raw("q")).contains("");
    var forgotten = MimeValue.of(octets("a/b; access-type=mail-server   server=\"x\" ; n=a b"));
    assertThat(forgotten.raw("access-type")).contains("mail-server");
    assertThat(forgotten.raw("server")).contains("x");
    assertThat(forgotten.raw("n")).contains("a b");
    assertEquals("", MimeValue.of(octets("")).word());
    assertEquals("", MimeValue.of(octets("(((")).word());
  }

  @Test
  void parametersInPieces() {
    var value =
        MimeValue.of(
            octets(
                "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;"
                    + " title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\""));
    assertThat(value.decoded("title")).contains("This is even more ***fun*** isn't it!");
    assertThat(MimeValue.of(octets("a/b; f*=utf-8''na%C3%AFve")).decoded("f"))
        .contains("na\u00efve");
    assertThat(MimeValue.of(octets("a/b; boundary*0=a; boundary*1=b")).raw("boundary"))
        .contains("ab");
    assertThat(MimeValue.of(octets("a/b; f=\"=?utf-8?q?=C3=AF?=\"")).decoded("f"))
        .contains("\u00ef");
    assertThat(MimeValue.of(octets("a/b")).decoded("f")).isEmpty();
  }

  private static String words(String text) {
    return EncodedWords.decode(octets(text));
  }

  @Test
  void encodedWords() {
    assertEquals("a", words("=?ISO-8859-1?Q?a?="));
    assertEquals("a b", words("=?ISO-8859-1?Q?a?= b"));
    assertEquals("ab", words("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?="));
    assertEquals("a b", words("=?ISO-8859-1?Q?a_b?="));
    assertEquals("h\u00e9llo", words("=?utf-8?b?aMOpbGxv?="));
    assertEquals("\u00e9", words("=?utf-8?q?=C3?= =?utf-8?q?=A9?=")); // a character in two words
    assertEquals("x \u20ac y", words("x =?windows-1252*en?q?=80?= y"));
    assertEquals("=?utf-8?x?a?=", words("=?utf-8?x?a?="));
    assertEquals("=?utf-8?q?a", words("=?utf-8?q?a"));
    assertEquals("=?=?=?", words("=?=?=?"));
    assertEquals("=??q?a?=", words("=??q?a?="));
    assertEquals("a\ufffd", words("=?utf-8?q?a=FF?="));
    assertEquals("\u00ff", words("=?no-such-charset?q?=FF?="));
    assertEquals("na\u00efve", words("na\u00efve"));
    assertEquals("\u65e5\u672c", words("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?="));
  }

  private static String text(String header, String body) throws IOException {
    var reader = PartText.of(Header.of(octets(header)), octets(body));
    if (reader.isEmpty()) {
      return "<none>";
    }
    var text = new StringWriter();
    reader.get().transferTo(text);
    return text.toString();
  }

  @Test
  void bodies() throws IOException {
    assertEquals("plain", text("", "plain"));
    assertEquals(
        "h\u00e9",
        text(
            "Content-Type: text/x; charset=utf-8\r\nContent-Transfer-Encoding: BASE64\r\n",
            "aM\r\nOp"));
    assertEquals(
        "h\u00e9",
        text(
            "Content-Type: text/x; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            "h=\r\n=E9"));
    assertEquals("<none>", text("Content-Type: image/png\r\n", "x"));
    assertEquals("x", text("Content-Type: text/plain; charset=bogus\r\n", "x"));
    assertEquals("x", text("Content-Type: bogus\r\n", "x"));
    assertEquals("", text("Content-Transfer-Encoding: base64\r\n", "!!!!"));
  }

  @Test
  void headersKeepEveryLine() {
    var header =
        Header.of(
            octets("A: 1\r\nno colon\r\n cont\r\nB : 2\r\n\tfold\r\n: x\r\nC:\r\n\r\nD: 3\r\n"));
    assertThat(header.fields().stream().map(HeaderField::name))
        .containsExactly("A", "", "B", "", "C");
    assertEquals(
        "2\tfold",
        new String(header.first("b").orElseThrow().value(), StandardCharsets.ISO_8859_1));
    assertThat(header.first("D")).isEmpty();
    assertThat(Header.of(octets("A: b\n".repeat(20_000))).fields()).hasSize(Header.FIELDS_MAX);
  }
}
