package longhand.imap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import longhand.message.EncodedWords;
import longhand.message.Header;
import longhand.message.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// SEARCH of the usual fields is answered from summaries, exactly as from the messages themselves
/// (RFC 3501 §6.4.4).
@SuppressWarnings("StringConcatToTextBlock")
class SearchSummaryTest {

  private static final List<String> FIELDS = List.of("From", "To", "Cc", "Bcc", "Subject");
  private static final int MESSAGES = Boolean.getBoolean("longhand.long") ? 100_000 : 2_000;

  @TempDir Path data;

  private static List<byte[]> messages() throws Exception {
    var messages = new ArrayList<byte[]>();
    for (var odd :
        List.of(
            "From: \"Doe, Jane\" (the boss) <jane@example.org>, x@y\r\nsubject: =?utf-8?Q?Gr=C3=BC?=\r\n"
                + " =?utf-8?Q?=C3=9Fe?= twice\r\nSubject: a second one\r\n\r\n",
            "To: a@example.org,\r\n b@example.org\r\nto: c@example.org\r\nBCC:\r\n\r\nFrom: body\r\n",
            "Date: 1 Jan 2001 10:00:00 +0000\r\nCc: "
                + "long@example.org, ".repeat(500)
                + "end\r\n\r\n",
            "no header at all\r\n\r\n",
            "Subject : blank before the colon\r\nDate: nonsense\r\n\r\n",
            "")) {
      messages.add(odd.getBytes(StandardCharsets.ISO_8859_1));
    }
    for (var folder : List.of("mail-parser", "mime4j", "python-email")) {
      var found = SharedData.folder(folder);
      if (found.isPresent()) {
        for (var ending : List.of(".eml", ".msg", ".txt")) {
          for (var file : SharedData.files(found.get(), ending)) {
            messages.add(SharedData.crlf(Files.readAllBytes(file)));
          }
        }
      }
    }
    return messages;
  }

  private static boolean has(byte[] message, String field, String needle) {
    for (var each : Header.of(message).fields()) {
      if (each.is(field)
          && EncodedWords.decode(each.value())
              .toLowerCase(Locale.ROOT)
              .contains(needle.toLowerCase(Locale.ROOT))) {
        return true;
      }
    }
    return false;
  }

  /// A piece of a field that can be sent as a quoted string.
  private static String piece(byte[] message, String field, Random random) {
    for (var each : Header.of(message).fields()) {
      if (each.is(field)) {
        var text = EncodedWords.decode(each.value());
        int from = text.isEmpty() ? 0 : random.nextInt(text.length());
        var piece = text.substring(from, Math.min(text.length(), from + 1 + random.nextInt(8)));
        if (piece.chars().allMatch(c -> c >= ' ' && c < 0x7f && c != '"' && c != '\\')) {
          return piece.toUpperCase(Locale.ROOT);
        }
      }
    }
    return "";
  }

  @Test
  void theSameAsFromTheMessages() throws Exception {
    long seed = Long.getLong("longhand.seed", 1);
    var random = new Random(seed);
    try (var server = new ImapTestServer(data)) {
      var messages = new ArrayList<byte[]>();
      for (var message : messages()) {
        server.deliver("ana", new String(message, StandardCharsets.ISO_8859_1));
        messages.add(message);
      }
      try (var client = ImapTestServer.Client.of(server.port(true, false), "ana")) {
        client.command("SELECT INBOX");
        int hits = 0;
        for (int round = 0; round < 400; round++) {
          var field = FIELDS.get(random.nextInt(FIELDS.size()));
          var needle = piece(messages.get(random.nextInt(messages.size())), field, random);
          var expected = new StringBuilder("* SEARCH");
          for (int i = 0; i < messages.size(); i++) {
            if (has(messages.get(i), field, needle)) {
              expected.append(' ').append(i + 1);
              hits++;
            }
          }
          var command = "SEARCH " + field.toUpperCase(Locale.ROOT) + " \"" + needle + "\"";
          var answer = client.command(command).getFirst();
          assertEquals(expected.toString(), answer, "seed " + seed + " " + command);
          assertEquals(
              answer,
              client.command("SEARCH HEADER " + field + " \"" + needle + "\"").getFirst(),
              command);
        }
        assertThat(hits).isGreaterThan(400);
        assertEquals("* SEARCH 3", client.command("SEARCH SENTON 1-Jan-2001").getFirst());
      }
    }
  }

  /// No message is read a second time: beside a field that is not kept it is quick.
  @Test
  void whatItCosts() throws Exception {
    try (var server = new ImapTestServer(data)) {
      for (int i = 0; i < MESSAGES; i += 1000) {
        server.fill("ana", 1000, i);
      }
      try (var client = ImapTestServer.Client.of(server.port(true, false), "ana")) {
        client.command("SELECT INBOX");
        var cost = new StringBuilder();
        for (var key :
            List.of(
                "HEADER Sender x",
                "FROM sender77@",
                "FROM sender77@",
                "HEADER Sender x",
                "FROM sender77@",
                "SENTON 23-Nov-2026")) {
          long began = System.nanoTime();
          var answer = client.command("SEARCH " + key).getFirst();
          cost.append(", %s %d ms".formatted(key, (System.nanoTime() - began) / 1_000_000));
          assertEquals(
              key.startsWith("FROM") ? "* SEARCH 78" : key.startsWith("SENT") ? answer : "* SEARCH",
              answer);
        }
        System.out.printf("SEARCH of %,d messages%s%n", MESSAGES, cost);
      }
    }
  }
}
