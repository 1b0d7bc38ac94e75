package longhand.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Measures that share one run of a server. Each gets a server that has just been started with
/// empty accounts.
enum Group {
  /// Messages over SMTP, from the first connection until IMAP shows the last in its account.
  SMTP {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      var kind = new TestMessage(MESSAGE_OCTETS);
      int one = Scale.messages(server, scale.smtpOne());
      int many = Scale.messages(server, scale.smtpMany());
      try (var watch = new Load.Watch(server)) {
        for (long until = scale.warmUntil(); System.nanoTime() < until; ) {
          smtp(server, watch, kind, 50, many / 10);
        }
        Load.settled(server);
        samples.add(Measure.SMTP_1, server, smtp(server, watch, kind, 1, one));
        Load.settled(server);
        samples.add(Measure.SMTP_10, server, smtp(server, watch, kind, 10, many));
        double before = Load.settled(server);
        double own = Load.ownCpuSeconds();
        samples.add(Measure.SMTP_50, server, smtp(server, watch, kind, 50, many));
        own = Load.ownCpuSeconds() - own;
        double used = Load.settled(server) - before;
        samples.add(Measure.SMTP_CPU, server, 1000 * used / many);
        if (server instanceof LonghandServer) {
          samples.note(
              String.format(
                  Locale.ROOT,
                  "load generator's own processor time at 50 SMTP connections: %.3f ms a message",
                  1000 * own / many));
        }
        samples.add(Measure.SMTP_SINGLE, server, single(server, watch, kind, one));
        if (SmtpSource.available()) {
          Load.settled(server);
          samples.add(Measure.SMTP_SOURCE, server, source(server, watch, many));
        }
        Load.settled(server);
        samples.add(
            Measure.SMTP_RESIDENT, server, ProcessTree.residentKib(server.roots()) / KIB_PER_MB);
      }
    }
  },

  /// Messages for another server, from the first connection until that server has taken the last:
  /// accepted, kept in the queue, and brought there.
  RELAY {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      if (!Sink.available()) {
        samples.note("relaying is left out: it needs smtp-sink of the package postfix");
        return;
      }
      var kind = new TestMessage(MESSAGE_OCTETS);
      int messages = Scale.messages(server, scale.smtpMany());
      try (var sink = Sink.start(server)) {
        for (long until = scale.warmUntil(); System.nanoTime() < until; ) {
          relay(server, sink, kind, 50, messages / 10);
        }
        Load.settled(server);
        samples.add(Measure.RELAY_10, server, relay(server, sink, kind, 10, messages));
        double before = Load.settled(server);
        samples.add(Measure.RELAY_50, server, relay(server, sink, kind, 50, messages));
        double used = Load.settled(server) - before;
        samples.add(Measure.RELAY_CPU, server, 1000 * used / messages);
      }
    }
  },

  /// APPEND of one message after the other on 50 connections, each to an account of its own.
  APPEND {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      var kind = new TestMessage(MESSAGE_OCTETS);
      int messages = Scale.messages(server, scale.appends());
      var clients = new ArrayList<ImapClient>();
      for (int i = 0; i < 50; i++) {
        clients.add(ImapClient.open(server, i));
      }
      int warm = 0;
      for (long until = scale.warmUntil(); System.nanoTime() < until; ) {
        append(clients, kind, messages / 10);
        warm += messages / 10;
      }
      double before = Load.settled(server);
      long began = System.nanoTime();
      append(clients, kind, messages);
      double seconds = (System.nanoTime() - began) / 1e9;
      double used = Load.settled(server) - before;
      samples.add(Measure.APPEND_50, server, messages / seconds);
      samples.add(Measure.APPEND_CPU, server, 1000 * used / messages);
      long found = 0;
      for (int i = 0; i < 50; i++) {
        try (var client = ImapClient.open(server, i)) {
          found += client.messages();
        }
      }
      if (found != messages + warm) {
        throw new IOException(found + " messages, expected " + (messages + warm));
      }
    }
  },

  /// Sessions that read a whole maildrop, message after message.
  POP3 {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      try (var client = ImapClient.open(server, 0)) {
        client.fill(new TestMessage(MESSAGE_OCTETS), scale.popMessages());
      }
      int sessions = 20;
      for (long until = scale.warmUntil(); System.nanoTime() < until; ) {
        download(server, scale.popMessages());
      }
      double before = Load.settled(server);
      long began = System.nanoTime();
      for (int i = 0; i < sessions; i++) {
        download(server, scale.popMessages());
      }
      double seconds = (System.nanoTime() - began) / 1e9;
      double used = Load.settled(server) - before;
      int messages = sessions * scale.popMessages();
      samples.add(Measure.POP3, server, messages / seconds);
      samples.add(Measure.POP3_CPU, server, 1000 * used / messages);
    }
  },

  /// One large mailbox, warm, then opened by a server that finds no index.
  MAILBOX {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      try (var client = ImapClient.open(server, 0)) {
        client.fill(new TestMessage(SMALL_OCTETS), scale.mailbox());
      }
      Load.settled(server);
      var select = new ArrayList<Double>();
      var flags = new ArrayList<Double>();
      var envelopes = new ArrayList<Double>();
      var store = new ArrayList<Double>();
      for (int pass = 0; pass < 5; pass++) {
        if (pass == 2) {
          select.clear();
          flags.clear();
          envelopes.clear();
          store.clear();
        }
        try (var client = ImapClient.open(server, 0)) {
          select.add(millis(client, "SELECT INBOX"));
          flags.add(millis(client, "FETCH 1:* (FLAGS)"));
          envelopes.add(millis(client, "FETCH 1:* (ENVELOPE)"));
          store.add(millis(client, "STORE 1:* +FLAGS (\\Flagged)"));
          client.command("STORE 1:* -FLAGS.SILENT (\\Flagged)");
        }
        Load.settled(server);
      }
      samples.add(Measure.SELECT, server, Samples.median(select));
      samples.add(Measure.FETCH_FLAGS, server, Samples.median(flags));
      samples.add(Measure.FETCH_ENVELOPE, server, Samples.median(envelopes));
      samples.add(Measure.STORE, server, Samples.median(store));
      if (!server.name().equals("Longhand") && !server.name().equals("mbox")) {
        return; // the others keep in their indexes what is nowhere else
      }
      for (int i = 0; i < 3; i++) {
        server.stop();
        server.dropIndexes();
        server.start();
        try (var client = ImapClient.open(server, 1)) {
          client.command("SELECT INBOX");
        }
        try (var client = ImapClient.open(server, 0)) {
          samples.add(Measure.COLD_OPEN, server, millis(client, "SELECT INBOX"));
          if (client.messages() != scale.mailbox()) {
            throw new IOException("messages are missing after opening without an index");
          }
        }
      }
    }
  },

  /// What a server costs that has nothing to do.
  IDLE {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      for (int i = 0; i < 5; i++) {
        server.stop();
        samples.add(Measure.START, server, server.start());
      }
      Load.settled(server);
      samples.add(
          Measure.IDLE_RESIDENT, server, ProcessTree.residentKib(server.roots()) / KIB_PER_MB);
      for (int i = 0; i < MailServer.ACCOUNTS; i++) {
        idle(server, i).close();
      }
      Load.settled(server);
      long before = ProcessTree.residentKib(server.roots());
      var clients = new ArrayList<ImapClient>();
      try {
        for (int i = 0; i < scale.idle(); i++) {
          clients.add(idle(server, i));
        }
        TimeUnit.SECONDS.sleep(5); // hibernation begins after two
        Load.settled(server);
        long with = ProcessTree.residentKib(server.roots());
        samples.add(Measure.IDLE_CONNECTION, server, (double) (with - before) / clients.size());
      } finally {
        for (var client : clients) {
          client.close();
        }
      }
    }
  },

  /// Delivery into a mailbox of 10 messages, of 100, and so on.
  GROWTH {
    @Override
    void run(MailServer server, Scale scale, Samples samples)
        throws IOException, InterruptedException {
      var kind = new TestMessage(MESSAGE_OCTETS);
      deliver(server, kind, 3000, 1);
      double firstMicros = 0;
      double firstCpu = 0;
      double micros = 0;
      double cpu = 0;
      long filled = 0;
      for (int size = 10; size <= scale.growth(); size *= 10) {
        if (size > filled) {
          try (var client = ImapClient.open(server, 0)) {
            client.fill(new TestMessage(SMALL_OCTETS), size - filled);
          }
          filled = size;
        }
        double before = Load.settled(server);
        micros = Samples.median(deliver(server, kind, 400, 0));
        cpu = (Load.settled(server) - before) * 1e6 / 400;
        filled += 400;
        if (size == 10) {
          firstMicros = micros;
          firstCpu = cpu;
        }
        samples.note(
            String.format(
                Locale.ROOT,
                "%s, delivery into a mailbox of %d messages: %.0f us, processor %.0f us",
                server.name(),
                size,
                micros,
                cpu));
      }
      samples.add(Measure.GROWTH_TIME, server, micros / firstMicros);
      samples.add(Measure.GROWTH_CPU, server, cpu / firstCpu);
    }
  };

  private static final int MESSAGE_OCTETS = 10 * 1024;
  private static final int SMALL_OCTETS = 2000;
  private static final double KIB_PER_MB = 1e6 / 1024;

  /// Measures one server.
  abstract void run(MailServer server, Scale scale, Samples samples)
      throws IOException, InterruptedException;

  /// Messages a second, from the first connection to the last message visible.
  private static double smtp(
      MailServer server, Load.Watch watch, TestMessage kind, int connections, int messages)
      throws IOException, InterruptedException {
    watch.expect(messages);
    long began = System.nanoTime();
    Load.run(
        connections,
        messages,
        _ -> SmtpClient.open(server),
        (client, number) -> client.send(kind, number));
    watch.await();
    return messages / ((System.nanoTime() - began) / 1e9);
  }

  /// Messages a second, from the first connection until the sink has the last.
  private static double relay(
      MailServer server, Sink sink, TestMessage kind, int connections, int messages)
      throws IOException, InterruptedException {
    long expected = sink.messages() + messages;
    long began = System.nanoTime();
    Load.run(
        connections,
        messages,
        _ -> SmtpClient.open(server),
        (client, number) -> client.send(kind, "user" + number % 100 + "@" + MailServer.RELAYED));
    sink.await(expected);
    return messages / ((System.nanoTime() - began) / 1e9);
  }

  /// The same, sent by smtp-source.
  private static double source(MailServer server, Load.Watch watch, int messages)
      throws IOException, InterruptedException {
    int each = messages / SmtpSource.PROCESSES;
    watch.expectOfFirst(SmtpSource.PROCESSES, each);
    long began = System.nanoTime();
    SmtpSource.send(server, 50 / SmtpSource.PROCESSES, each, MESSAGE_OCTETS);
    watch.await();
    return each * SmtpSource.PROCESSES / ((System.nanoTime() - began) / 1e9);
  }

  private static double single(MailServer server, Load.Watch watch, TestMessage kind, int messages)
      throws IOException, InterruptedException {
    watch.expect(messages);
    long began = System.nanoTime();
    Load.run(
        10,
        messages,
        _ -> () -> {},
        (_, number) -> {
          try (var client = SmtpClient.open(server)) {
            client.send(kind, number);
          }
        });
    watch.await();
    return messages / ((System.nanoTime() - began) / 1e9);
  }

  private static void append(List<ImapClient> clients, TestMessage kind, int messages)
      throws IOException, InterruptedException {
    Load.run(
        clients.size(),
        messages,
        worker -> new Appending(clients.get(worker)),
        (appending, _) -> appending.client().append(kind));
  }

  /// Leaves its client open, which is used again.
  private record Appending(ImapClient client) implements java.io.Closeable {
    @Override
    public void close() {}
  }

  private static void download(MailServer server, int messages) throws IOException {
    try (var client = Pop3Client.open(server, 0)) {
      if (client.messages() != messages) {
        throw new IOException("POP3 shows " + client.messages() + ", expected " + messages);
      }
      for (int i = 1; i <= messages; i++) {
        long octets = client.retrieve(i);
        if (octets < MESSAGE_OCTETS) {
          throw new IOException("POP3 sent " + octets + " octets of message " + i);
        }
      }
    }
  }

  private static ImapClient idle(MailServer server, int account) throws IOException {
    var client = ImapClient.open(server, account, 2048);
    client.command("SELECT INBOX");
    client.idle();
    return client;
  }

  private static double millis(ImapClient client, String command) throws IOException {
    long began = System.nanoTime();
    client.command(command);
    return (System.nanoTime() - began) / 1e6;
  }

  /// Delivers over one connection.
  ///
  /// @return microseconds of each
  private static List<Double> deliver(
      MailServer server, TestMessage kind, int messages, int account) throws IOException {
    var micros = new ArrayList<Double>();
    try (var client = SmtpClient.open(server)) {
      for (int i = 0; i < messages; i++) {
        long began = System.nanoTime();
        client.send(kind, account);
        micros.add((System.nanoTime() - began) / 1e3);
      }
    }
    return micros;
  }
}
