package longhand.bench;

import java.io.Closeable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Runs the same work on several connections at once.
final class Load {

  private Load() {}

  /// Opens a connection for a worker.
  interface Open<C extends Closeable> {
    C open(int worker) throws IOException;
  }

  /// One unit of work on a connection.
  interface Step<C extends Closeable> {
    void run(C connection, int number) throws IOException;
  }

  /// Does `steps` units of work on so many connections, and returns when all are done and all
  /// connections closed. Each worker has a platform thread: with at most fifty of them, a read that
  /// waits costs one call to the system, which a virtual thread's does not.
  static <C extends Closeable> void run(int connections, int steps, Open<C> open, Step<C> step)
      throws IOException, InterruptedException {
    var next = new AtomicInteger();
    var failed = new AtomicReference<@Nullable Throwable>();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < connections; i++) {
      int worker = i;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (var connection = open.open(worker)) {
                      for (int n = next.getAndIncrement();
                          n < steps && failed.get() == null;
                          n = next.getAndIncrement()) {
                        step.run(connection, n);
                      }
                    } catch (IOException | RuntimeException e) {
                      failed.compareAndSet(null, e);
                    }
                  }));
    }
    for (var thread : threads) {
      thread.join();
    }
    var failure = failed.get();
    if (failure != null) {
      throw new IOException("the load broke: " + failure.getMessage(), failure);
    }
  }

  /// Waits until a server has nothing more to do, at most 30 s: what it puts off is part of what it
  /// costs.
  ///
  /// @return its processor time so far, in seconds
  static double settled(MailServer server) throws IOException, InterruptedException {
    double before = ProcessTree.cpuSeconds(server.roots());
    int quiet = 0;
    for (int i = 0; i < 150 && quiet < 5; i++) {
      TimeUnit.MILLISECONDS.sleep(200);
      double now = ProcessTree.cpuSeconds(server.roots());
      quiet = now - before <= 0.011 ? quiet + 1 : 0;
      before = now;
    }
    return before;
  }

  /// Processor time of this process so far, in seconds.
  static double ownCpuSeconds() {
    var system =
        Objects.requireNonNull(
            ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class));
    return system.getProcessCpuTime() / 1e9;
  }

  /// Counts the messages of all accounts through IMAP.
  static final class Watch implements Closeable {

    private static final long DEADLINE_SECONDS = 300;

    private final List<ImapClient> clients = new ArrayList<>();
    private final long[] expected = new long[MailServer.ACCOUNTS];

    /// Logs in to all accounts.
    Watch(MailServer server) throws IOException {
      for (int i = 0; i < MailServer.ACCOUNTS; i++) {
        clients.add(ImapClient.open(server, i, 4096));
      }
    }

    /// Messages of numbers from 0 are about to be sent, each to the account of its number.
    void expect(int messages) throws IOException {
      for (int i = 0; i < MailServer.ACCOUNTS; i++) {
        int more = messages > i ? (messages - 1 - i) / MailServer.ACCOUNTS + 1 : 0;
        expected[i] = clients.get(i).messages() + more;
      }
    }

    /// So many messages are about to be sent to each of the first accounts.
    void expectOfFirst(int accounts, int messages) throws IOException {
      for (int i = 0; i < MailServer.ACCOUNTS; i++) {
        expected[i] = clients.get(i).messages() + (i < accounts ? messages : 0);
      }
    }

    /// Waits until all of them can be seen, and no more.
    ///
    /// @throws IOException when one is missing after five minutes, or there are too many
    void await() throws IOException, InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
      for (int i = 0; i < MailServer.ACCOUNTS; i++) {
        long found = clients.get(i).messages();
        while (found < expected[i]) {
          if (System.nanoTime() > deadline) {
            throw new IOException(
                MailServer.address(i) + " has " + found + " messages, expected " + expected[i]);
          }
          TimeUnit.MILLISECONDS.sleep(5);
          found = clients.get(i).messages();
        }
        if (found > expected[i]) {
          throw new IOException(
              MailServer.address(i) + " has " + found + " messages, expected " + expected[i]);
        }
      }
    }

    @Override
    public void close() throws IOException {
      for (var client : clients) {
        client.close();
      }
    }
  }
}
