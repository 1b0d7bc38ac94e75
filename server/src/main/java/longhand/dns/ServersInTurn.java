package longhand.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;

/// Asks one server after the other, round after round, until one answers. No thread waits
/// meanwhile.
///
/// The last reply is given when none of them is an answer, so that the sentence can say what
/// servers said.
final class ServersInTurn implements Resolver {

  /// What goes through every path unfragmented (DNS Flag Day 2020; RFC 9715 §3.2).
  private static final int UDP_OCTETS = 1232;

  private final List<SimpleResolver> servers;
  private final int attemptsMax;
  private Duration timeout;

  ServersInTurn(List<InetSocketAddress> addresses, int rounds, Duration timeout) {
    servers = addresses.stream().map(SimpleResolver::new).toList();
    attemptsMax = servers.size() * rounds;
    this.timeout = timeout;
    setTimeout(timeout);
    setEDNS(0, UDP_OCTETS, 0, List.of());
  }

  @Override
  public CompletionStage<Message> sendAsync(Message query, Executor executor) {
    return attempt(0, query, executor);
  }

  // The future inside the future is the next attempt; thenCompose takes it out.
  @SuppressWarnings("FutureReturnValueIgnored")
  private CompletableFuture<Message> attempt(int number, Message query, Executor executor) {
    return send(servers.get(number % servers.size()), query, executor)
        .handle(
            (@Nullable Message reply, @Nullable Throwable failure) -> {
              if (reply != null && (ReplyReader.isAnswer(reply) || number + 1 == attemptsMax)) {
                return CompletableFuture.completedFuture(reply);
              }
              if (number + 1 == attemptsMax) {
                return CompletableFuture.<Message>failedFuture(
                    failure == null
                        ? new IllegalStateException("neither reply nor error")
                        : failure);
              }
              return attempt(number + 1, query, executor);
            })
        .thenCompose(next -> next);
  }

  private CompletableFuture<Message> send(SimpleResolver server, Message query, Executor executor) {
    try {
      return server
          .sendAsync(query, executor)
          .toCompletableFuture()
          .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public void setPort(int port) {
    servers.forEach(each -> each.setPort(port));
  }

  @Override
  public void setTCP(boolean flag) {
    servers.forEach(each -> each.setTCP(flag));
  }

  @Override
  public void setIgnoreTruncation(boolean flag) {
    servers.forEach(each -> each.setIgnoreTruncation(flag));
  }

  @Override
  public void setEDNS(int version, int payloadSize, int flags, List<EDNSOption> options) {
    int octets = payloadSize == 0 ? UDP_OCTETS : payloadSize;
    servers.forEach(each -> each.setEDNS(version, octets, flags, options));
  }

  @Override
  public void setTSIGKey(TSIG key) {
    servers.forEach(each -> each.setTSIGKey(key));
  }

  @Override
  public Duration getTimeout() {
    return timeout;
  }

  @Override
  public void setTimeout(Duration timeout) {
    this.timeout = timeout;
    servers.forEach(each -> each.setTimeout(timeout));
  }
}
