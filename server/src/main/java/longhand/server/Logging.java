package longhand.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import org.slf4j.LoggerFactory;

/// The log: one line for each event, to standard error, as text or as JSON. Whatever an event says,
/// it stays one line: control characters are written as in JSON. Logback finds this class as a
/// service, unless there is a `logback.xml` or `logback-test.xml` on the class path.
@ConfiguratorRank(-5)
public final class Logging extends ContextAwareBase implements Configurator {

  /// Made by logback.
  public Logging() {}

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    set(context, Config.LogFormat.TEXT, Level.WARN);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /// Makes the log as the configuration wants it.
  static void configure(Config.Log log) {
    var level =
        switch (log.level()) {
          case ERROR -> Level.ERROR;
          case WARNING -> Level.WARN;
          case INFO -> Level.INFO;
          case DEBUG -> Level.DEBUG;
        };
    set((LoggerContext) LoggerFactory.getILoggerFactory(), log.format(), level);
  }

  private static void set(LoggerContext context, Config.LogFormat format, Level level) {
    var encoder = format == Config.LogFormat.JSON ? new JsonLines() : new TextLines();
    encoder.setContext(context);
    encoder.start();
    var appender = new OutputStreamAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setEncoder(encoder);
    appender.setOutputStream(new StandardError());
    appender.start();
    var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.addAppender(appender);
    root.setLevel(level.levelInt > Level.INFO_INT ? level : Level.INFO);
    Logger ours = context.getLogger("longhand");
    ours.setLevel(level);
    // dnsjava tells each bad signature of strangers' zones as an error of its own, stack and all.
    context.getLogger("org.xbill").setLevel(Level.OFF);
  }

  /// Standard error, which an appender that stops must not close.
  private static final class StandardError extends OutputStream {
    @Override
    public void write(int octet) {
      System.err.write(octet);
    }

    @Override
    public void write(byte[] octets, int offset, int length) {
      System.err.write(octets, offset, length);
    }

    @Override
    public void flush() {
      System.err.flush();
    }
  }

  private static String level(ILoggingEvent event) {
    return event.getLevel() == Level.WARN ? "WARNING" : event.getLevel().toString();
  }

  /// Stack traces of our own faults; empty when the event has none.
  private static String trace(ILoggingEvent event) {
    if (!(event.getThrowableProxy() instanceof ThrowableProxy proxy)) {
      return "";
    }
    var text = new StringWriter();
    proxy.getThrowable().printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  /// Appends text with control characters escaped, and what JSON asks for.
  private static void escaped(StringBuilder line, String text, boolean json) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (json && (c == '"' || c == '\\')) {
        line.append('\\').append(c);
      } else if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
        line.append("\\u").append(HexFormat.of().toHexDigits(c));
      } else {
        line.append(c);
      }
    }
  }

  private abstract static class Lines extends EncoderBase<ILoggingEvent> {
    abstract void write(StringBuilder line, ILoggingEvent event);

    @Override
    public byte[] headerBytes() {
      return new byte[0];
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
      var line = new StringBuilder(160);
      write(line, event);
      return line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] footerBytes() {
      return new byte[0];
    }
  }

  /// `2026-11-23T04:00:00.123Z INFO server.Server: ready`
  private static final class TextLines extends Lines {
    @Override
    void write(StringBuilder line, ILoggingEvent event) {
      var logger = event.getLoggerName();
      line.append(Instant.ofEpochMilli(event.getTimeStamp()))
          .append(' ')
          .append(level(event))
          .append(' ')
          .append(logger.startsWith("longhand.") ? logger.substring(9) : logger)
          .append(": ");
      escaped(line, event.getFormattedMessage(), false);
      var trace = trace(event);
      for (int start = 0; start < trace.length(); ) {
        int end = trace.indexOf('\n', start);
        end = end < 0 ? trace.length() : end;
        line.append("\n\t"); // so that no exception's text can look like a line of its own
        escaped(line, trace.substring(start, end).stripLeading(), false);
        start = end + 1;
      }
    }
  }

  /// `{"time":"...","level":"info","logger":"...","message":"..."}`, with `error` for a stack
  /// trace.
  private static final class JsonLines extends Lines {
    @Override
    void write(StringBuilder line, ILoggingEvent event) {
      line.append("{\"time\":\"")
          .append(Instant.ofEpochMilli(event.getTimeStamp()))
          .append("\",\"level\":\"")
          .append(level(event).toLowerCase(Locale.ROOT))
          .append("\",\"logger\":\"");
      escaped(line, event.getLoggerName(), true);
      line.append("\",\"message\":\"");
      escaped(line, event.getFormattedMessage(), true);
      var trace = trace(event);
      if (!trace.isEmpty()) {
        line.append("\",\"error\":\"");
        escaped(line, trace, true);
      }
      line.append("\"}");
    }
  }
}
