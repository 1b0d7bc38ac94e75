package longhand.pop3;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {

  private static Command parse(String line) {
    return CommandParser.parse(line.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void commands() {
    assertThat(parse("stat")).isEqualTo(new Command.Stat());
    assertThat(parse("LIST")).isEqualTo(new Command.ListSizes(0));
    assertThat(parse("LIST 3 ")).isEqualTo(new Command.ListSizes(3));
    assertThat(parse("UIDL 3")).isEqualTo(new Command.ListIds(3));
    assertThat(parse("TOP 1 0")).isEqualTo(new Command.Top(1, 0));
    assertThat(parse("RETR 00000000000000000000000007")).isEqualTo(new Command.Retrieve(7));
    assertThat(parse("DELE 4294967297")).isEqualTo(new Command.Delete(Integer.MAX_VALUE));
    assertThat(parse("PASS  two words ")).isEqualTo(new Command.Pass(" two words "));
    assertThat(parse("PASS jos\u00e9")).isEqualTo(new Command.Pass("jos\u00e9"));
    assertThat(parse("USER a b")).isEqualTo(new Command.User("a b"));
    assertThat(parse("LANG")).isEqualTo(new Command.Language(Optional.empty()));
    assertThat(((Command.Auth) parse("auth plain =")).initial().orElseThrow()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "STAT x",
        "LIST x",
        "LIST -1",
        "LIST 0",
        "LIST 1 2",
        "RETR",
        "RETR 1x",
        "TOP 1",
        "TOP 1 -1",
        "TOP x 1",
        "TOP 1  1",
        "DELE",
        "PASS",
        "PASS ",
        "USER",
        "USER ",
        "QUIT now",
        "APOP a b",
        "XTND",
        "RETRIEVE 1",
        "NOOP\t",
        "STAT\0",
        "AUTH",
        "AUTH A!B",
        "AUTH PLAIN !",
        "LANG a\u00e9",
        "CAPA x",
        "STLS x",
        "UTF8 x"
      })
  void rubbish(String line) {
    assertThat(parse(line)).isInstanceOf(Command.Malformed.class);
  }

  @Test
  void brokenUtf8IsNoPassword() {
    assertThat(CommandParser.parse(new byte[] {'P', 'A', 'S', 'S', ' ', (byte) 0xc3}))
        .isInstanceOf(Command.Malformed.class);
  }
}
