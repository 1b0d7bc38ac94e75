package longhand.queue;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import longhand.dsn.Original;
import longhand.dsn.Report;
import longhand.dsn.Told;
import longhand.journey.JourneyId;
import longhand.mail.Address;
import longhand.mail.Envelope;
import longhand.mail.ForwardPath;
import longhand.mail.Handling;
import longhand.mail.ReversePath;
import longhand.store.Append;
import longhand.store.Letter;
import longhand.store.Mailbox;
import longhand.store.Marks;
import longhand.store.Store;

/// Writes reports to senders, and finds where they go. A report has the null reverse-path, so there
/// is never one about it (RFC 5321 §6.1).
final class Reports {

  private static final System.Logger LOG = System.getLogger(Reports.class.getName());
  private static final byte[] TRACE = "Return-Path: <>\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Store store;
  private final String hostname;
  private final RandomGenerator random;
  private final Function<Address, List<ReturnPath>> returnPaths;
  private final LetterSigner signer;

  /// @param hostname ours
  /// @param random that a sender cannot guess
  /// @param returnPaths where an address leads; empty when nowhere
  /// @param signer signs what other servers are to bring
  Reports(
      Store store,
      String hostname,
      RandomGenerator random,
      Function<Address, List<ReturnPath>> returnPaths,
      LetterSigner signer) {
    this.store = store;
    this.hostname = hostname;
    this.random = random;
    this.returnPaths = returnPaths;
    this.signer = signer;
  }

  /// A report that belongs into a batch.
  ///
  /// @param letter closed when the batch has been made
  /// @param here appends to accounts of ours
  /// @param elsewhere to whom other servers are to bring it
  /// @param signature what then stands before it
  record Prepared(
      Letter letter, String id, List<Append> here, Optional<Envelope> elsewhere, byte[] signature)
      implements AutoCloseable {
    @Override
    public void close() {
      letter.close();
    }
  }

  /// Writes what is told of a message; empty when its sender is nowhere to be found, which is only
  /// logged: who is told of that, too, would be told for ever.
  ///
  /// @throws IOException when it cannot be written, or the directory cannot say who the sender is
  Optional<Prepared> prepare(
      String of,
      Envelope envelope,
      Instant arrived,
      Original.Source original,
      List<Told> told,
      Instant now)
      throws IOException {
    var to = envelope.from().address().orElseThrow();
    List<ReturnPath> paths;
    try {
      paths = returnPaths.apply(to);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (paths.isEmpty()) {
      LOG.log(Level.WARNING, () -> "message " + of + ": no report, since nobody is at " + to);
      return Optional.empty();
    }
    var id = JourneyId.next();
    // RFC 8689 §5: what was to travel under TLS only comes back so, and its body not at all.
    var about = envelope.handling().requireTls() ? envelope.withoutBody() : envelope;
    var report = new Report(hostname, about, arrived, now, "dsn." + id, told);
    var letter = store.letter();
    boolean done = false;
    try {
      var out = new BufferedOutputStream(new Into(letter));
      var written = report.write(readable(of, original), random, out);
      out.flush();
      letter.finish();
      var here = new ArrayList<Append>();
      var elsewhere = new ArrayList<ForwardPath>();
      for (var path : paths) {
        switch (path) {
          case ReturnPath.Here(var account) ->
              here.add(
                  new Append(
                      account, Mailbox.INBOX, ReversePath.NULL, now, Marks.NONE, TRACE, letter));
          case ReturnPath.Elsewhere(var address) -> elsewhere.add(ForwardPath.of(address));
        }
      }
      var signature = elsewhere.isEmpty() ? new byte[0] : signature(of, letter);
      done = true;
      return Optional.of(
          new Prepared(
              letter,
              id,
              here,
              elsewhere.isEmpty()
                  ? Optional.empty()
                  : Optional.of(
                      new Envelope(
                          ReversePath.NULL,
                          elsewhere,
                          written.body(),
                          written.smtpUtf8(),
                          Optional.empty(),
                          Optional.empty(),
                          new Handling(
                              Optional.empty(),
                              Optional.empty(),
                              envelope.handling().priority(),
                              envelope.handling().requireTls()))),
              signature));
    } finally {
      if (!done) {
        letter.close();
      }
    }
  }

  /// A report that cannot be signed is better than none.
  private byte[] signature(String of, Letter letter) {
    try {
      return signer.fields(letter);
    } catch (IOException e) {
      LOG.log(Level.WARNING, () -> "message " + of + ": its report is not signed: " + e);
      return new byte[0];
    }
  }

  /// The message; nothing of it when it cannot be read, so that its sender hears of it at least.
  private static Original.Source readable(String of, Original.Source original) {
    try (var in = original.open()) {
      in.transferTo(OutputStream.nullOutputStream());
      return original;
    } catch (IOException e) {
      LOG.log(Level.ERROR, () -> "message " + of + " cannot be read: " + e.getMessage());
      return InputStream::nullInputStream;
    }
  }

  /// Octets into a letter.
  private static final class Into extends OutputStream {
    private final Letter letter;

    Into(Letter letter) {
      this.letter = letter;
    }

    @Override
    public void write(int octet) throws IOException {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] octets, int offset, int length) throws IOException {
      letter.write(octets, offset, length);
    }
  }
}
