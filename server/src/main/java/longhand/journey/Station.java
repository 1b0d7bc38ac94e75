package longhand.journey;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;

/// One thing that happened to a message. Texts beyond their bounds are cut.
///
/// @param at when, in milliseconds
/// @param id the message's, as SMTP answers it; what never became a message has one as well: the
///   transaction's, or the session's
/// @param subject what it is about: an address, a Message-ID, a server; empty when it is about the
///   message alone
/// @param words for people: what happened, as a sentence that begins with the subject
/// @param value the technical value behind the words, such as a reply; may be empty
public record Station(
    Instant at, String id, Kind kind, String subject, String words, String value) {

  static final int ID_CHARS_MAX = 32;
  static final int SUBJECT_CHARS_MAX = 1_000;
  static final int WORDS_CHARS_MAX = 400;
  static final int VALUE_CHARS_MAX = 2_000;

  /// What a station is about.
  public enum Kind {
    /// Who brings a message, and how. Subject: its address.
    CLIENT,
    /// Who logged in for it, or did not. Subject: the account.
    LOGIN,
    /// Where reports about it go. Subject: the reverse-path, `<>` for the null one.
    SENDER,
    /// Who it is for, and where that leads. Subject: the address.
    RECIPIENT,
    /// What has come. Subject: its Message-ID.
    MESSAGE,
    /// What was checked, and the verdict. Subject: what it was checked for.
    CHECK,
    /// It is in an account. Subject: the account.
    STORED,
    /// It waits for other servers. Subject: a recipient.
    QUEUED,
    /// What its client was told.
    REPLY,
    /// What became of a try at another server. Subject: the recipient.
    RELAY,
    /// What follows for a recipient. Subject: the recipient.
    NEXT,
    /// What its sender was told. Subject: the sender.
    REPORT,
    /// Nothing more is to happen.
    END;

    private final String text = name().toLowerCase(Locale.ROOT);

    /// As files and commands write it.
    public String text() {
      return text;
    }

    /// The kind of that text.
    public static Optional<Kind> of(String text) {
      for (var kind : values()) {
        if (kind.text.equals(text)) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }

  public Station {
    at = at.truncatedTo(ChronoUnit.MILLIS);
    id = cut(id, ID_CHARS_MAX);
    subject = cut(subject, SUBJECT_CHARS_MAX);
    words = cut(words, WORDS_CHARS_MAX);
    value = cut(value, VALUE_CHARS_MAX);
  }

  private static String cut(String text, int most) {
    if (text.length() <= most) {
      return text;
    }
    boolean within = Character.isSurrogatePair(text.charAt(most - 2), text.charAt(most - 1));
    return text.substring(0, within ? most - 2 : most - 1) + "…";
  }
}
