package longhand.auth;

/// PLAIN: `[authzid] NUL authcid NUL password` in one response (RFC 4616 §2).
final class Plain implements Sasl.Exchange {

  private final Sasl.Context context;
  private boolean done;

  Plain(Sasl.Context context) {
    this.context = context;
  }

  @Override
  public boolean clientFirst() {
    return true;
  }

  @Override
  public Sasl.Step step(byte[] response) {
    var message = Sasl.text(response);
    if (done || message == null) {
      return Sasl.malformed();
    }
    done = true;
    int first = message.indexOf('\0');
    int second = message.indexOf('\0', first + 1);
    if (first < 0 || second < 0 || message.indexOf('\0', second + 1) >= 0) {
      return Sasl.malformed();
    }
    var authzid = message.substring(0, first);
    var name = message.substring(first + 1, second);
    var password = message.substring(second + 1);
    if (name.isEmpty() || password.isEmpty()) {
      return Sasl.malformed();
    }
    if (!Sasl.isSelf(context.authenticator(), authzid, name)) {
      return new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS);
    }
    return Sasl.step(context.authenticator().password(name, password, context.peer()));
  }
}
