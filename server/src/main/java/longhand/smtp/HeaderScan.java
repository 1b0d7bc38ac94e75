package longhand.smtp;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import longhand.wire.Limits;
import longhand.wire.LineEnds;
import org.jspecify.annotations.Nullable;

/// Reads the header of a message as it streams by, and keeps only what reception and submission
/// ask: how many Received fields there are, the values of Delivered-To, From and Message-ID,
/// whether Date is there, and whether TLS-Required says No. Memory is bounded by the limits
/// whatever comes; a line that is no field is passed over, as most readers of mail do.
final class HeaderScan {

  private static final int NAME_OCTETS_MAX = 16;
  private static final int DELIVERED_TO_MAX = 200;
  private static final int DELIVERED_TO_OCTETS_MAX = 1000;
  private static final int MESSAGE_ID_OCTETS_MAX = 1000;
  private static final int TLS_REQUIRED_OCTETS_MAX = 100;

  private enum State {
    LINE_BEGIN,
    NAME,
    REST,
    CR,
    ENDED
  }

  private enum Field {
    OTHER,
    RECEIVED,
    DELIVERED_TO,
    FROM,
    DATE,
    MESSAGE_ID,
    TLS_REQUIRED
  }

  private static final byte[] RECEIVED = name("received");
  private static final byte[] DELIVERED_TO = name("delivered-to");
  private static final byte[] FROM = name("from");
  private static final byte[] DATE = name("date");
  private static final byte[] MESSAGE_ID = name("message-id");
  private static final byte[] TLS_REQUIRED = name("tls-required");

  private final Limits limits;
  private final boolean wantFrom;
  private final byte[] name = new byte[NAME_OCTETS_MAX];
  private int nameLength;
  private State state = State.LINE_BEGIN;
  private boolean lineEmpty;
  private Field field = Field.OTHER;
  private byte[] value = new byte[0];
  private int valueLength;
  private long octets;
  private long fieldOctets;
  private int fields;
  private int received;
  private boolean date;
  private int tlsRequired;
  private boolean tlsRequiredNo;
  private @Nullable String messageId;
  private boolean tooLarge;
  private final List<String> deliveredTo = new ArrayList<>(2);
  private final List<String> from = new ArrayList<>(1);

  /// @param wantFrom whether the values of From are kept
  HeaderScan(Limits limits, boolean wantFrom) {
    this.limits = limits;
    this.wantFrom = wantFrom;
  }

  /// Takes the next octets of the message; those after the header cost nothing.
  void take(byte[] input, int offset, int length) {
    int to = offset + length;
    int i = offset;
    while (i < to && state != State.ENDED) {
      switch (state) {
        case LINE_BEGIN -> {
          lineEmpty = false;
          byte octet = input[i];
          if (octet == '\r') {
            lineEmpty = true;
            state = State.CR;
            i++;
          } else if (octet == ' ' || octet == '\t') {
            state = State.REST;
          } else {
            fieldDone();
            fields++;
            nameLength = 0;
            state = State.NAME;
          }
        }
        case NAME -> {
          byte octet = input[i];
          if (octet == ':') {
            field = field();
            i++;
            state = State.REST;
          } else if (octet == '\r' || nameLength == NAME_OCTETS_MAX) {
            field = Field.OTHER;
            state = State.REST;
          } else {
            name[nameLength++] = octet;
            i++;
          }
          fieldOctets++;
        }
        case REST -> {
          int end = LineEnds.find(input, i, to);
          keep(input, i, end);
          fieldOctets += end - i;
          i = end;
          if (end < to) {
            i++;
            state = State.CR;
          }
        }
        case CR -> {
          i++;
          fieldOctets += 2;
          if (lineEmpty) {
            fieldDone();
            state = State.ENDED;
          } else {
            state = State.LINE_BEGIN;
          }
        }
        case ENDED -> throw new IllegalStateException("the header has ended");
      }
    }
    octets += i - offset;
    tooLarge |=
        octets > limits.headerOctetsMax()
            || fieldOctets > limits.headerFieldOctetsMax()
            || fields > limits.headerFieldsMax();
    if (tooLarge) {
      state = State.ENDED;
    }
  }

  /// The message has ended, perhaps within its header.
  void end() {
    if (state != State.ENDED) {
      fieldDone();
      state = State.ENDED;
    }
  }

  /// Whether nothing more is read.
  boolean ended() {
    return state == State.ENDED;
  }

  /// Whether the header, a field or their number is beyond its limit.
  boolean tooLarge() {
    return tooLarge;
  }

  /// How many Received fields there are.
  int received() {
    return received;
  }

  /// The values of the Delivered-To fields, without blanks around, lower case.
  List<String> deliveredTo() {
    return deliveredTo;
  }

  /// The values of the From fields, unfolded.
  List<String> from() {
    return from;
  }

  /// Whether there is a Date field.
  boolean date() {
    return date;
  }

  /// Whether there is a Message-ID field.
  boolean messageId() {
    return messageId != null;
  }

  /// The value of the first Message-ID field, what is beyond a thousand octets cut; empty when
  /// there is none.
  String messageIdValue() {
    return Objects.requireNonNullElse(messageId, "");
  }

  /// Whether the message is to arrive whatever is published of TLS: there is exactly one
  /// TLS-Required field, and its value is `No` (RFC 8689 §5).
  boolean disregardTls() {
    return tlsRequired == 1 && tlsRequiredNo;
  }

  private void keep(byte[] input, int begin, int end) {
    int max =
        switch (field) {
          case DELIVERED_TO -> DELIVERED_TO_OCTETS_MAX;
          case MESSAGE_ID -> messageId == null ? MESSAGE_ID_OCTETS_MAX : 0;
          case TLS_REQUIRED -> TLS_REQUIRED_OCTETS_MAX;
          case FROM -> wantFrom ? limits.headerFieldOctetsMax() : 0;
          case OTHER, RECEIVED, DATE -> 0;
        };
    int n = Math.min(end - begin, max - valueLength);
    if (n > 0) {
      if (valueLength + n > value.length) {
        value = Arrays.copyOf(value, Math.max(valueLength + n, value.length * 2));
      }
      System.arraycopy(input, begin, value, valueLength, n);
      valueLength += n;
    }
  }

  private void fieldDone() {
    tooLarge |= fieldOctets > limits.headerFieldOctetsMax();
    switch (field) {
      case OTHER -> {}
      case RECEIVED -> received++;
      case DATE -> date = true;
      case TLS_REQUIRED -> {
        tlsRequired++;
        // The field with its name: what is longer was not kept whole.
        tlsRequiredNo = fieldOctets <= TLS_REQUIRED_OCTETS_MAX && value().equalsIgnoreCase("no");
      }
      case MESSAGE_ID -> {
        if (messageId == null) {
          messageId = value();
        }
      }
      case DELIVERED_TO -> {
        if (deliveredTo.size() < DELIVERED_TO_MAX) {
          deliveredTo.add(value().toLowerCase(Locale.ROOT));
        }
      }
      case FROM -> {
        // More than two say nothing that two do not say.
        if (from.size() < 2) {
          from.add(value());
        }
      }
    }
    field = Field.OTHER;
    fieldOctets = 0;
    valueLength = 0;
  }

  private String value() {
    return new String(value, 0, valueLength, StandardCharsets.UTF_8).strip();
  }

  private Field field() {
    int length = nameLength;
    while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t')) {
      length--;
    }
    if (is(RECEIVED, length)) {
      return Field.RECEIVED;
    }
    if (is(DELIVERED_TO, length)) {
      return Field.DELIVERED_TO;
    }
    if (is(FROM, length)) {
      return Field.FROM;
    }
    if (is(DATE, length)) {
      return Field.DATE;
    }
    if (is(TLS_REQUIRED, length)) {
      return Field.TLS_REQUIRED;
    }
    return is(MESSAGE_ID, length) ? Field.MESSAGE_ID : Field.OTHER;
  }

  private boolean is(byte[] lower, int length) {
    if (lower.length != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      int octet = name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i];
      if (octet != lower[i]) {
        return false;
      }
    }
    return true;
  }

  private static byte[] name(String lower) {
    return lower.getBytes(StandardCharsets.US_ASCII);
  }
}
