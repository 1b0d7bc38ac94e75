package longhand.auth;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// LOGIN, older than SASL's rules and never standardised: the server asks for the name, then for
/// the password. Some programs send the name as initial response.
final class Login implements Sasl.Exchange {

  private final Sasl.Context context;
  private boolean asked;
  private @Nullable String name;

  Login(Sasl.Context context) {
    this.context = context;
  }

  @Override
  public boolean clientFirst() {
    return false;
  }

  @Override
  public Sasl.Step step(byte[] response) {
    var text = Sasl.text(response);
    if (text == null) {
      return Sasl.malformed();
    }
    if (name != null) {
      return text.isEmpty()
          ? Sasl.malformed()
          : Sasl.step(context.authenticator().password(name, text, context.peer()));
    }
    if (!text.isEmpty()) {
      name = text;
      return challenge("Password:");
    }
    if (asked) {
      return Sasl.malformed();
    }
    asked = true;
    return challenge("Username:");
  }

  private static Sasl.Step challenge(String text) {
    return new Sasl.Step.Challenge(text.getBytes(StandardCharsets.US_ASCII));
  }
}
