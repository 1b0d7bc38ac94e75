package longhand.dkim;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import longhand.disk.Disk;
import longhand.dkim.HeldKey.Stage;
import longhand.mail.Domain;
import org.jspecify.annotations.Nullable;

/// The keys that a running server signs with. For each message it sends:
///
///     byte[] fields = keys.fields(domain of the From field, message);   // CRLF line ends
///     out.write(fields); then the message
///
/// or, where the message passes anyway, [#signer] and what it begins. A change of the keys on disk
/// counts two seconds later at the most. Safe for any thread; a lookup costs a look into a map.
public final class DkimKeys {

  private static final System.Logger LOG = System.getLogger(DkimKeys.class.getName());
  private static final long LOOK_NANOS = Duration.ofSeconds(2).toNanos();
  private static final int BLOCK = 16_384;

  private final Path data;
  private final Disk disk;
  private final Clock clock;
  private final LongSupplier nanos;
  private final ConcurrentHashMap<Domain, Known> known = new ConcurrentHashMap<>();

  /// @param facts of the file `keys` when it was read
  private record Known(Optional<DkimSigner> signer, Optional<Disk.Facts> facts, long lookedNanos) {}

  /// @param data the data folder
  public DkimKeys(Path data, Disk disk, Clock clock) {
    this(data, disk, clock, System::nanoTime);
  }

  DkimKeys(Path data, Disk disk, Clock clock, LongSupplier nanos) {
    this.data = data;
    this.disk = disk;
    this.clock = clock;
    this.nanos = nanos;
  }

  /// What signs messages of a domain; empty when no key does. Keys that cannot be read change
  /// nothing but the log: those read before go on to sign.
  public Optional<DkimSigner> signer(Domain domain) {
    var last = known.get(domain);
    if (last != null && nanos.getAsLong() - last.lookedNanos < LOOK_NANOS) {
      return last.signer;
    }
    if (!DkimKeyFolder.isFolderName(domain)) {
      return Optional.empty();
    }
    var folder = new DkimKeyFolder(data, domain, disk);
    if (last == null && !disk.exists(folder.state())) {
      return Optional.empty(); // not kept: only domains with keys take memory
    }
    return known.compute(domain, (_, before) -> look(domain, folder, before)).signer;
  }

  /// The DKIM-Signature fields to put in front of a message, each with its CRLF; no octets when the
  /// domain has no keys, or when the message cannot be signed, which the log tells.
  ///
  /// @param message in the form of the wire, read to its end
  public byte[] fields(Domain domain, InputStream message) throws IOException {
    var signer = signer(domain);
    if (signer.isEmpty()) {
      return new byte[0];
    }
    var signing = signer.get().begin();
    var block = new byte[BLOCK];
    for (int count = message.read(block); count >= 0; count = message.read(block)) {
      signing.write(block, 0, count);
    }
    return switch (signing.finish()) {
      case DkimSigner.Outcome.Signed(var fields) -> fields;
      case DkimSigner.Outcome.Refused(var why) -> {
        LOG.log(Level.INFO, () -> "a message of " + domain + " is not signed: " + why);
        yield new byte[0];
      }
    };
  }

  /// The domain that signs for another: itself where it has keys, else the nearest above it that
  /// has. So what a host says in its own name is signed by its domain, which DMARC takes as well
  /// (RFC 7489 §3.1.1).
  public Optional<Domain> signing(Domain domain) {
    var name = domain.name();
    for (int dot = -1; ; ) {
      var each = new Domain(name.substring(dot + 1));
      if (signer(each).isPresent()) {
        return Optional.of(each);
      }
      dot = name.indexOf('.', dot + 1);
      if (dot < 0 || dot == name.length() - 1) {
        return Optional.empty();
      }
    }
  }

  private Known look(Domain domain, DkimKeyFolder folder, @Nullable Known before) {
    long now = nanos.getAsLong();
    if (before != null && now - before.lookedNanos < LOOK_NANOS) {
      return before;
    }
    var signer = before == null ? Optional.<DkimSigner>empty() : before.signer;
    var facts = before == null ? Optional.<Disk.Facts>empty() : before.facts;
    try {
      var found = disk.facts(folder.state());
      if (before == null || !found.equals(facts)) {
        facts = found; // a file that is wrong is named once, not with each message
        signer = read(domain, folder);
      }
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      var words =
          signer.isPresent() ? "its DKIM keys stay as they were: " : "no message is signed: ";
      LOG.log(Level.WARNING, () -> domain + ": " + words + e.getMessage());
    }
    return new Known(signer, facts, now);
  }

  private Optional<DkimSigner> read(Domain domain, DkimKeyFolder folder) throws IOException {
    var keys =
        folder.keys().stream()
            .filter(each -> each.stage() == Stage.SIGNING)
            .map(HeldKey::key)
            .toList();
    return keys.isEmpty()
        ? Optional.empty()
        : Optional.of(new DkimSigner(domain, keys, clock, Optional.empty()));
  }
}
