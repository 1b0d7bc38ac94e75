package longhand.smtp;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import longhand.mail.Address;
import longhand.wire.Limits;

/// How much each account has sent in this hour and this day, so that who has stolen a password does
/// little with it. An hour and a day begin with the first message after the one before is over; a
/// restart begins both anew. Safe for any thread.
public final class SendingLimits {

  /// Accounts after which those that have long sent nothing are forgotten.
  private static final int ACCOUNTS_MAX = 10_000;

  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final Limits limits;
  private final InstantSource clock;
  private final Map<Address, Sent> accounts = new ConcurrentHashMap<>();

  /// @param limits how much is too much
  public SendingLimits(Limits limits, InstantSource clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /// What was sent since a moment.
  private record Since(Instant began, int messages, int recipients) {
    static final Since NEVER = new Since(Instant.EPOCH, 0, 0);

    Since at(Instant now, Duration span) {
      return now.isBefore(began) || !now.isBefore(began.plus(span)) ? new Since(now, 0, 0) : this;
    }

    Since with(int more) {
      return new Since(began, messages + 1, recipients + more);
    }
  }

  private record Sent(Since hour, Since day) {
    static final Sent NOTHING = new Sent(Since.NEVER, Since.NEVER);

    Sent at(Instant now) {
      return new Sent(hour.at(now, HOUR), day.at(now, DAY));
    }
  }

  /// Whether an account may send one more message, to so many recipients.
  boolean allow(Address account, int recipients) {
    var sent = accounts.getOrDefault(account, Sent.NOTHING).at(clock.instant());
    return sent.hour.messages < limits.accountMessagesHourMax()
        && sent.day.messages < limits.accountMessagesDayMax()
        && sent.hour.recipients + recipients <= limits.accountRecipientsHourMax()
        && sent.day.recipients + recipients <= limits.accountRecipientsDayMax();
  }

  /// An account has sent a message.
  void sent(Address account, int recipients) {
    var now = clock.instant();
    accounts.compute(
        account,
        (_, before) -> {
          var sent = (before == null ? Sent.NOTHING : before).at(now);
          return new Sent(sent.hour.with(recipients), sent.day.with(recipients));
        });
    if (accounts.size() > ACCOUNTS_MAX) {
      accounts.values().removeIf(each -> each.at(now).day.messages == 0);
    }
  }
}
