package longhand.server;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// Shows what a tool tells: lines as they come, and how far it is, on a terminal as one line with a
/// bar, rate and time left that is drawn anew, else as a line every ten seconds.
final class Screen implements Consumer<Told>, AutoCloseable {

  private static final long TERMINAL_NANOS = 200_000_000L;
  private static final long PLAIN_NANOS = 10_000_000_000L;
  private static final int BAR = 24;

  private final String verb;
  private final PrintStream out;
  private final boolean terminal;
  private final long beganNanos = System.nanoTime();
  private long shownNanos = beganNanos;
  private long shownLength;

  /// @param verb as `imported`
  Screen(String verb) {
    this(verb, System.out);
  }

  /// One that leaves standard output to what is exported.
  static Screen besideOutput(String verb) {
    return new Screen(verb, System.err);
  }

  /// @param out for lines; progress goes to standard error
  private Screen(String verb, PrintStream out) {
    this.verb = verb;
    this.out = out;
    this.terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  @Override
  public void accept(Told told) {
    switch (told) {
      case Told.Line(var text) -> {
        wipe();
        out.println(Printable.of(text));
      }
      case Told.Progress progress -> show(progress);
      case Told.Message _, Told.Octets _ -> {}
    }
  }

  private void show(Told.Progress progress) {
    long now = System.nanoTime();
    if (now - shownNanos < (terminal ? TERMINAL_NANOS : PLAIN_NANOS)) {
      return;
    }
    shownNanos = now;
    var text = text(verb, progress, (now - beganNanos) / 1e9, terminal);
    if (terminal) {
      wipe();
      System.err.print(text);
      System.err.flush();
      shownLength = text.length();
    } else {
      System.err.println(text);
    }
  }

  /// How far it is, in one line.
  ///
  /// @param seconds since it began
  /// @param bar whether with one
  static String text(String verb, Told.Progress progress, double seconds, boolean bar) {
    var text = new StringBuilder();
    long total = progress.total();
    if (total > 0) {
      double part = Math.min(1, (double) progress.octets() / total);
      if (bar) {
        int full = (int) (part * BAR);
        text.append('[').append("#".repeat(full)).append(".".repeat(BAR - full)).append("] ");
      }
      text.append(String.format(Locale.ROOT, "%3.0f %%  ", part * 100));
    }
    text.append(
        String.format(
            Locale.ROOT,
            "%d messages %s, %.1f of %s, %.0f messages/s, %.1f MB/s",
            progress.messages(),
            verb,
            progress.octets() / 1e6,
            total > 0 ? String.format(Locale.ROOT, "%.1f MB", total / 1e6) : "? MB",
            progress.messages() / seconds,
            progress.octets() / 1e6 / seconds));
    if (total > 0 && progress.octets() > 0) {
      long left = Math.max(0, (long) (seconds * (total - progress.octets()) / progress.octets()));
      text.append(String.format(Locale.ROOT, ", %d:%02d left", left / 60, left % 60));
    }
    return text.toString();
  }

  private void wipe() {
    if (shownLength > 0) {
      System.err.print("\r" + " ".repeat((int) shownLength) + "\r");
      System.err.flush();
      shownLength = 0;
    }
  }

  @Override
  public void close() {
    wipe();
  }
}
