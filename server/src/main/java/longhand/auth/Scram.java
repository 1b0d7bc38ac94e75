package longhand.auth;

import com.ongres.scram.common.ScramFunctions;
import com.ongres.scram.common.ScramMechanism;
import com.ongres.scram.common.util.TlsServerEndpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// SCRAM-SHA-256 and, bound to the TLS channel, SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677, RFC 9266):
///
///     C: n,,n=user,r=<client nonce>                 client-first-message
///     S: r=<client nonce><ours>,s=<salt>,i=<count>  server-first-message
///     C: c=biws,r=<both>,p=<proof>                  client-final-message
///     S: v=<server signature>                       server-final-message
///
/// A client that could bind but believes that we can't (`y`) while we can has been lied to on the
/// way, and fails (RFC 5802 §6).
final class Scram implements Sasl.Exchange {

  static final String NAME = "SCRAM-SHA-256";
  static final String PLUS = "SCRAM-SHA-256-PLUS";

  private static final ScramMechanism MECHANISM = ScramMechanism.SCRAM_SHA_256;
  private static final int NONCE_CHARS_MAX = 256;

  /// What is known after the client's first message.
  private record Begun(
      String name,
      byte[] channelBindingInput,
      String nonce,
      String clientFirstBare,
      String serverFirst,
      ScramVerifier verifier) {}

  private final Sasl.Context context;
  private final boolean plus;
  private @Nullable Begun begun;
  private boolean done;

  Scram(Sasl.Context context, boolean plus) {
    this.context = context;
    this.plus = plus;
  }

  @Override
  public boolean clientFirst() {
    return true;
  }

  @Override
  public Sasl.Step step(byte[] response) {
    var message = Sasl.text(response);
    if (message == null || done) {
      return Sasl.malformed();
    }
    var known = begun;
    if (known == null) {
      return clientFirstMessage(message);
    }
    done = true;
    return clientFinalMessage(message, known);
  }

  private Sasl.Step clientFirstMessage(String message) {
    int flagEnd = message.indexOf(',');
    int headerEnd = flagEnd < 0 ? -1 : message.indexOf(',', flagEnd + 1);
    if (headerEnd < 0) {
      return Sasl.malformed();
    }
    var flag = message.substring(0, flagEnd);
    var authzid = message.substring(flagEnd + 1, headerEnd);
    var bare = message.substring(headerEnd + 1);
    int nameEnd = bare.indexOf(',');
    if (!bare.startsWith("n=") || nameEnd < 0 || !bare.startsWith("r=", nameEnd + 1)) {
      return Sasl.malformed(); // a mandatory extension `m=` among others
    }
    int nonceEnd = bare.indexOf(',', nameEnd + 1);
    var clientNonce = bare.substring(nameEnd + 3, nonceEnd < 0 ? bare.length() : nonceEnd);
    var name = saslname(bare.substring(2, nameEnd));
    var actAs =
        authzid.isEmpty() ? "" : authzid.startsWith("a=") ? saslname(authzid.substring(2)) : null;
    if (name == null || name.isEmpty() || actAs == null || !isNonce(clientNonce)) {
      return Sasl.malformed();
    }

    byte[] binding = new byte[0];
    switch (flag) {
      case "n" -> {
        if (plus) {
          return Sasl.malformed();
        }
      }
      case "y" -> {
        if (plus || context.bindable()) {
          return new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS);
        }
      }
      default -> {
        if (!plus || !flag.startsWith("p=")) {
          return Sasl.malformed();
        }
        var data = context.tls().flatMap(session -> channelBinding(flag.substring(2), session));
        if (data.isEmpty()) {
          return new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS);
        }
        binding = data.get();
      }
    }
    if (!Sasl.isSelf(context.authenticator(), actAs, name)) {
      return new Sasl.Step.Failure(Sasl.Reason.CREDENTIALS);
    }

    ScramVerifier verifier;
    try {
      verifier = context.authenticator().scram(name);
    } catch (IOException e) {
      return new Sasl.Step.Failure(Sasl.Reason.TEMPORARY);
    }
    var nonce = clientNonce + context.authenticator().nonce();
    var serverFirst =
        "r="
            + nonce
            + ",s="
            + Base64.getEncoder().encodeToString(verifier.salt())
            + ",i="
            + verifier.iterations();
    var input = new ByteArrayOutputStream();
    input.writeBytes(message.substring(0, headerEnd + 1).getBytes(StandardCharsets.UTF_8));
    input.writeBytes(binding);
    begun = new Begun(name, input.toByteArray(), nonce, bare, serverFirst, verifier);
    return new Sasl.Step.Challenge(serverFirst.getBytes(StandardCharsets.UTF_8));
  }

  private Sasl.Step clientFinalMessage(String message, Begun begun) {
    int bindingEnd = message.indexOf(',');
    int proofStart = message.lastIndexOf(",p=");
    if (!message.startsWith("c=") || bindingEnd < 0 || proofStart < bindingEnd) {
      return Sasl.malformed();
    }
    if (!message.startsWith("r=", bindingEnd + 1)) {
      return Sasl.malformed();
    }
    int comma = message.indexOf(',', bindingEnd + 1);
    var nonce = message.substring(bindingEnd + 3, comma);
    byte[] binding;
    byte[] proof;
    try {
      binding = Base64.getDecoder().decode(message.substring(2, bindingEnd));
      proof = Base64.getDecoder().decode(message.substring(proofStart + 3));
    } catch (IllegalArgumentException e) {
      return Sasl.malformed();
    }
    if (proof.length != begun.verifier.storedKey().length) {
      return Sasl.malformed();
    }
    var authMessage =
        begun.clientFirstBare + "," + begun.serverFirst + "," + message.substring(0, proofStart);
    boolean proven =
        ScramFunctions.verifyClientProof(MECHANISM, proof, begun.verifier.storedKey(), authMessage);
    boolean bound = MessageDigest.isEqual(binding, begun.channelBindingInput);
    var verdict =
        context
            .authenticator()
            .scram(begun.name, proven && bound && nonce.equals(begun.nonce), context.peer());
    return switch (verdict) {
      case Authenticator.Verdict.Denied(var reason) -> new Sasl.Step.Failure(reason);
      case Authenticator.Verdict.Granted(var account) -> {
        byte[] signature =
            ScramFunctions.serverSignature(MECHANISM, begun.verifier.serverKey(), authMessage);
        yield new Sasl.Step.Success(
            account,
            Optional.of(
                ("v=" + Base64.getEncoder().encodeToString(signature))
                    .getBytes(StandardCharsets.US_ASCII)));
      }
    };
  }

  /// `=2C` is a comma and `=3D` an equals sign; any other `=` is an error (RFC 5802 §5.1).
  private static @Nullable String saslname(String text) {
    if (text.indexOf('=') < 0) {
      return text;
    }
    var name = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != '=') {
        name.append(text.charAt(i));
      } else if (text.startsWith("=2C", i)) {
        name.append(',');
        i += 2;
      } else if (text.startsWith("=3D", i)) {
        name.append('=');
        i += 2;
      } else {
        return null;
      }
    }
    return name.toString();
  }

  private static boolean isNonce(String text) {
    if (text.isEmpty() || text.length() > NONCE_CHARS_MAX) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) <= ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  /// The octets that only the two ends of this TLS connection have in common; empty when that type
  /// can't be had. `tls-exporter` needs TLS 1.3, where the master secret is always tied to the
  /// handshake (RFC 9266 §2, §4.2).
  static Optional<byte[]> channelBinding(String type, SSLSession session) {
    try {
      return switch (type) {
        case "tls-exporter" ->
            session instanceof ExtendedSSLSession extended
                    && extended.getProtocol().equals("TLSv1.3")
                ? Optional.of(
                    extended.exportKeyingMaterialData("EXPORTER-Channel-Binding", new byte[0], 32))
                : Optional.empty();
        case TlsServerEndpoint.TLS_SERVER_END_POINT -> {
          var certificates = session.getLocalCertificates();
          yield certificates != null
                  && certificates.length > 0
                  && certificates[0] instanceof X509Certificate certificate
              ? Optional.of(TlsServerEndpoint.getChannelBindingData(certificate))
              : Optional.empty();
        }
        default -> Optional.empty();
      };
    } catch (SSLException | CertificateEncodingException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }
}
