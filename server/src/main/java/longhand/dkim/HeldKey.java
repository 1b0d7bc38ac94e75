package longhand.dkim;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// A key of a domain, and how far it is in its life.
///
/// @param since when the stage began, in whole seconds
public record HeldKey(DkimKey key, Stage stage, Instant since) {

  /// How long the record of a retired key has to stay in DNS: a message that it signed may wait
  /// five days in our queue and as long in that of another server before somebody checks it.
  public static final Duration RETIRED_KEPT = Duration.ofDays(10);

  /// How far a key is.
  public enum Stage {
    /// To be published, and not to be used before everybody can see it.
    WAITING,
    /// Signs each message.
    SIGNING,
    /// Signs no more; its record stays for [#RETIRED_KEPT].
    RETIRED;

    /// The stage of a word in the file.
    static Optional<Stage> of(String word) {
      for (var stage : values()) {
        if (stage.toString().equals(word)) {
          return Optional.of(stage);
        }
      }
      return Optional.empty();
    }

    /// As in the file.
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Whether its record belongs into DNS at that time.
  public boolean published(Instant now) {
    return stage != Stage.RETIRED || now.isBefore(since.plus(RETIRED_KEPT));
  }
}
