package longhand.queue;

import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.dsn.Original;
import longhand.dsn.Told;
import longhand.mail.Envelope;
import longhand.store.Append;
import longhand.store.Entry;
import org.jspecify.annotations.Nullable;

/// A report to a sender, to be put into the batch that makes true what it tells. Closed without
/// having been `entered` it leaves nothing behind.
public final class Notice implements Closeable {

  /// Writes them.
  @FunctionalInterface
  public interface Writer {
    /// What is told of a message, as one report; nothing when nobody is told of anything.
    ///
    /// @param id of the message
    /// @param arrived when it came
    /// @param original its octets
    Notice of(
        String id,
        Envelope envelope,
        Instant arrived,
        Original.Source original,
        List<Told> told,
        Instant now)
        throws IOException;
  }

  /// No report.
  static final Notice NONE = new Notice(null, null);

  private final Reports.@Nullable Prepared report;
  private final Queue.@Nullable Admission admission;
  private boolean entered;

  private Notice(Reports.@Nullable Prepared report, Queue.@Nullable Admission admission) {
    this.report = report;
    this.admission = admission;
  }

  static Notice of(Reports.Prepared report, Optional<Queue.Admission> admission) {
    return new Notice(report, admission.orElse(null));
  }

  Optional<Reports.Prepared> report() {
    return Optional.ofNullable(report);
  }

  /// What it adds to the batch.
  public List<Append> appends() {
    if (report == null) {
      return List.of();
    }
    var appends = new ArrayList<>(report.here());
    if (admission != null) {
      appends.add(admission.append());
    }
    return appends;
  }

  /// The batch is durable; these are the entries of its appends.
  public void entered(List<Entry> entries) {
    entered = true;
    if (admission != null) {
      admission.entered(entries.getLast());
    }
  }

  @Override
  public void close() {
    if (admission != null && !entered) {
      admission.refused();
    }
    if (report != null) {
      report.close();
    }
  }
}
