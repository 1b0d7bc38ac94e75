package longhand.server;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import longhand.wire.Limits;

/// Writes `docs/configuration.md` from the records of [Config], so that the two cannot differ.
final class ConfigDocument {

  private final StringBuilder out = new StringBuilder();

  private ConfigDocument() {}

  /// The whole document.
  static String markdown() {
    var document = new ConfigDocument();
    document.out.append(
        """
        # Configuration

        <!-- Made from the records in longhand.server.Config and longhand.wire.Limits; a test compares it.
             After a change there: ./check --write-documents -->

        One TOML file, given with `--config FILE`. An unknown key or a wrong value stops the start with the
        file, the line, what was found and what was expected; `longhand config check FILE` says it without
        starting. Durations are texts of a number and `ms`, `s`, `m`, `h` or `d`. Files and folders are
        relative to the folder of the configuration file. Changes count after a restart; certificates are
        read again by themselves.

        ```toml
        hostname = "mx.example.com"
        data = "/var/lib/longhand"

        [tls]
        certificate = "fullchain.pem"
        key = "privkey.pem"

        [[domain]]
        name = "example.com"

        [[listener]]                 # mail from other servers
        protocol = "smtp"
        address = "[::]:25"

        [[listener]]                 # mail from our own users
        protocol = "submission"
        address = "[::]:465"
        tls = "implicit"

        [[listener]]                 # reading mail
        protocol = "imap"
        address = "[::]:993"
        tls = "implicit"
        ```

        """);
    document.table("", "## At the top", Config.class);
    return document.out.toString();
  }

  private record Below(String path, String title, Class<?> type, String says) {}

  private void table(String path, String title, Class<?> type) {
    out.append(title).append("\n\n| Key | Value | Default | |\n|---|---|---|---|\n");
    List<Below> below = new ArrayList<>();
    for (var component : type.getRecordComponents()) {
      var annotation = component.getAnnotation(Config.Key.class);
      var key = ConfigFile.kebab(component.getName());
      var inner = path.isEmpty() ? key : path + "." + key;
      var element = element(component);
      if (element.isPresent() && element.get() != String.class) {
        below.add(new Below(inner, "## `[[" + inner + "]]`", element.get(), annotation.says()));
      } else if (component.getType().isRecord()) {
        below.add(new Below(inner, "## `[" + inner + "]`", component.getType(), annotation.says()));
      } else {
        var fallback =
            annotation.required()
                ? "required"
                : annotation.value().isEmpty()
                    ? "none"
                    : code(quoted(component.getType(), annotation.value()));
        row(key, kind(component), fallback, annotation.says());
      }
    }
    out.append('\n');
    for (var each : below) {
      if (each.type == Limits.class) {
        limits(each.title, each.says);
      } else {
        table(each.path, each.title + "\n\n" + each.says, each.type);
      }
    }
  }

  private void limits(String title, String says) {
    out.append(title).append("\n\n").append(says).append("\n\n");
    out.append("| Key | Value | Default | |\n|---|---|---|---|\n");
    for (var component : Limits.class.getRecordComponents()) {
      var limit = component.getAnnotation(Limits.Limit.class);
      var kind = kind(component);
      if (!limit.least().isEmpty() || !limit.most().isEmpty()) {
        kind +=
            limit.most().isEmpty()
                ? ", at least " + limit.least()
                : ", " + (limit.least().isEmpty() ? "0" : limit.least()) + " to " + limit.most();
      }
      row(
          ConfigFile.kebab(component.getName()),
          kind,
          code(quoted(component.getType(), limit.value())),
          limit.says());
    }
  }

  private void row(String key, String kind, String fallback, String says) {
    out.append("| ")
        .append(code(key))
        .append(" | ")
        .append(kind)
        .append(" | ")
        .append(fallback)
        .append(" | ")
        .append(says.replace("|", "\\|"))
        .append(" |\n");
  }

  /// What a list is of; empty when the component is none.
  private static Optional<Class<?>> element(RecordComponent component) {
    return component.getType() == List.class
        ? Optional.of(
            (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0])
        : Optional.empty();
  }

  private static String kind(RecordComponent component) {
    Class<?> type = component.getType();
    if (type == List.class) {
      return "list of texts";
    }
    if (type == Optional.class) {
      type =
          (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
    }
    if (type == int.class) {
      return "number";
    }
    if (type == boolean.class) {
      return "`true` or `false`";
    }
    if (type == Duration.class) {
      return "duration";
    }
    return type == Path.class ? "path" : "text";
  }

  private static String quoted(Class<?> type, String value) {
    return type == int.class || type == boolean.class ? value : "\"" + value + "\"";
  }

  private static String code(String text) {
    return "`" + text + "`";
  }
}
