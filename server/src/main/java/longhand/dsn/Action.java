package longhand.dsn;

import java.util.Locale;
import java.util.Optional;
import longhand.mail.ForwardPath;
import longhand.mail.ReversePath;

/// What was done with a message for one recipient (RFC 3464 §2.3.3), and who wants to hear of it.
public enum Action {
  /// It will not be delivered, and is no longer tried.
  FAILED,
  /// It was not delivered yet, and is tried further.
  DELAYED,
  /// It is in the recipient's mailbox.
  DELIVERED,
  /// The next server took it, and that server sends no reports.
  RELAYED,
  /// The address is a list's, whose members were each sent it.
  EXPANDED;

  /// What is to be reported of a recipient for whom the next server took the message. Nothing where
  /// that server does DSN: it got NOTIFY and will report itself (RFC 3461 §5.2.1).
  public static Optional<Action> taken(boolean nextServerDoesDsn) {
    return nextServerDoesDsn ? Optional.empty() : Optional.of(RELAYED);
  }

  /// Whether the sender is told of this (RFC 3461 §4.1, §5.2). Who said nothing hears of failure
  /// and delay. Nobody is told of a message with the null reverse-path (RFC 5321 §4.5.5).
  public boolean isWanted(ReversePath from, ForwardPath to) {
    if (from.address().isEmpty()) {
      return false;
    }
    if (to.reports().isEmpty()) {
      return this == FAILED || this == DELAYED;
    }
    return to.reports()
        .contains(
            switch (this) {
              case FAILED -> ForwardPath.Notify.FAILURE;
              case DELAYED -> ForwardPath.Notify.DELAY;
              case DELIVERED, RELAYED, EXPANDED -> ForwardPath.Notify.SUCCESS;
            });
  }

  /// Whether a sender may be told of something that is not one of the four that NOTIFY names (RFC
  /// 2852 §4.1.4): unless it said NEVER.
  public static boolean mayTell(ReversePath from, ForwardPath to) {
    return from.address().isPresent() && !to.reports().contains(ForwardPath.Notify.NEVER);
  }

  /// As the Action field has it.
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The action of a word, in any letter case.
  static Optional<Action> of(String word) {
    for (var action : values()) {
      if (action.name().equalsIgnoreCase(word)) {
        return Optional.of(action);
      }
    }
    return Optional.empty();
  }
}
