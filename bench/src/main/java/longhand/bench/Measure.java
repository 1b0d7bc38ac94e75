package longhand.bench;

import org.jspecify.annotations.Nullable;

/// What is measured, and what is asked of Longhand there. The order is that of the table.
enum Measure {
  SMTP_1("SMTP, 1 connection, sent to visible", "messages/s", true, new Bar.Times(5, null, null)),
  SMTP_10(
      "SMTP, 10 connections, sent to visible", "messages/s", true, new Bar.Times(20, null, null)),
  SMTP_50(
      "SMTP, 50 connections, sent to visible", "messages/s", true, new Bar.Times(20, null, null)),
  SMTP_SINGLE(
      "SMTP, 10 connections at a time, each for one message", "messages/s", true, new Bar.None()),
  SMTP_SOURCE(
      "SMTP from Postfix's smtp-source, 50 connections, sent to visible",
      "messages/s",
      true,
      new Bar.None()),
  SMTP_CPU(
      "Server processor per message, 50 connections", "ms", false, new Bar.Times(20, null, null)),
  SMTP_RESIDENT("Resident after these loads", "MB", false, new Bar.None()),
  RELAY_10(
      "Relay, 10 connections, sent to taken by the next server",
      "messages/s",
      true,
      new Bar.Times(15, null, null)),
  RELAY_50(
      "Relay, 50 connections, sent to taken by the next server",
      "messages/s",
      true,
      new Bar.Times(15, null, null)),
  RELAY_CPU(
      "Server processor per relayed message, 50 connections",
      "ms",
      false,
      new Bar.Times(15, null, null)),
  APPEND_50(
      "IMAP APPEND of one message, 50 connections",
      "messages/s",
      true,
      new Bar.Times(5, null, null)),
  APPEND_CPU("Server processor per APPEND", "ms", false, new Bar.None()),
  POP3_CPU("Server processor per message read by POP3", "ms", false, new Bar.Times(3, null, null)),
  POP3(
      "POP3 download of 1000 messages, 1 connection",
      "messages/s",
      true,
      new Bar.Times(2, null, POP3_CPU)),
  SELECT("SELECT of the large mailbox", "ms", false, new Bar.Times(1, "mdbox", null)),
  FETCH_FLAGS("FETCH 1:* FLAGS", "ms", false, new Bar.Times(1, "mdbox", null)),
  FETCH_ENVELOPE("FETCH 1:* ENVELOPE", "ms", false, new Bar.Times(1, "mdbox", null)),
  STORE("STORE 1:* +FLAGS", "ms", false, new Bar.Times(1, "mdbox", null)),
  COLD_OPEN("SELECT of it without any index", "ms", false, new Bar.Times(3, "mbox", null)),
  START("Start to first greeting", "ms", false, new Bar.AtMost(1000)),
  IDLE_RESIDENT("Resident when idle", "MB", false, new Bar.AtMost(150)),
  IDLE_CONNECTION("Resident per idle IMAP connection", "KiB", false, new Bar.AtMost(20)),
  GROWTH_TIME(
      "Delivery time, largest mailbox against one of 10", "times", false, new Bar.AtMost(1.25)),
  GROWTH_CPU(
      "Delivery processor time, largest mailbox against one of 10",
      "times",
      false,
      new Bar.AtMost(1.25));

  /// What is asked.
  sealed interface Bar {
    /// To be so many times better than the best peer, or than the one named; or to reach the bar of
    /// another measure instead, where the load generator is the limit of this one.
    record Times(double factor, @Nullable String peer, @Nullable Measure instead) implements Bar {}

    /// Not to be above a value.
    record AtMost(double value) implements Bar {}

    /// Nothing: it is there to be read.
    record None() implements Bar {}
  }

  final String title;
  final String unit;
  final boolean higherIsBetter;

  @SuppressWarnings("ImmutableEnumChecker") // the records that it can be hold nothing that changes
  final Bar bar;

  Measure(String title, String unit, boolean higherIsBetter, Bar bar) {
    this.title = title;
    this.unit = unit;
    this.higherIsBetter = higherIsBetter;
    this.bar = bar;
  }
}
