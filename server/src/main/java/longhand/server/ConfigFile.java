package longhand.server;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import longhand.mail.Address;
import longhand.wire.Limits;
import longhand.wire.Listener;
import longhand.wire.Network;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.dataformat.toml.TomlMapper;

/// Reads a configuration file into a [Config], or says everything that is wrong with it: each
/// problem with file, line, what was found and what was expected. Jackson reads TOML into a tree
/// without places, so [TomlLines] finds the lines.
final class ConfigFile {

  private static final int BYTES_MAX = 1 << 20;
  private static final JsonNode EMPTY = JsonNodeFactory.instance.objectNode();

  private final Path file;
  private final TomlLines lines;
  private final List<String> problems = new ArrayList<>();

  private ConfigFile(Path file, TomlLines lines) {
    this.file = file;
    this.lines = lines;
  }

  /// Reads and checks the file.
  ///
  /// @throws IOException when it cannot be read
  /// @throws ConfigException when it is not a configuration
  static Config read(Path file) throws IOException, ConfigException {
    if (Files.size(file) > BYTES_MAX) {
      throw new ConfigException(List.of(file + ": larger than 1 MiB, which no configuration is"));
    }
    String text;
    try {
      text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
              .toString();
    } catch (CharacterCodingException e) {
      throw new ConfigException(List.of(file + ": bytes that are not UTF-8"));
    }
    JsonNode tree;
    try {
      tree = new TomlMapper().readTree(text);
    } catch (JacksonException e) {
      var place = e.getLocation();
      throw new ConfigException(
          List.of(
              "%s:%d: not TOML: %s"
                  .formatted(
                      file,
                      place == null ? 1 : place.getLineNr(),
                      firstLine(e.getOriginalMessage()))));
    }
    var reading = new ConfigFile(file, new TomlLines(text));
    var config = (Config) reading.record(Config.class, tree, "");
    if (config != null && reading.problems.isEmpty()) {
      reading.check(config);
    }
    if (config == null || !reading.problems.isEmpty()) {
      throw new ConfigException(reading.problems);
    }
    return config;
  }

  private static String firstLine(@Nullable String text) {
    if (text == null) {
      return "unreadable";
    }
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  /// The key of a record component: `plaintextLogin` is `plaintext-login`.
  static String kebab(String name) {
    var key = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isUpperCase(c)) {
        key.append('-').append(Character.toLowerCase(c));
      } else {
        key.append(c);
      }
    }
    return key.toString();
  }

  /// Binds a table; null when something in it is wrong.
  private @Nullable Object record(Class<?> type, JsonNode table, String path) {
    if (!table.isObject()) {
      problem(path, shown(table), "a table");
      return null;
    }
    if (type == Limits.class) {
      return limits(table, path);
    }
    var components = type.getRecordComponents();
    var keys = Arrays.stream(components).map(c -> kebab(c.getName())).toList();
    unknownKeys(table, path, keys);
    var arguments = new Object[components.length];
    boolean whole = true;
    for (int i = 0; i < components.length; i++) {
      var value = component(components[i], table, path, keys.get(i));
      if (value == null) {
        whole = false;
      } else {
        arguments[i] = value;
      }
    }
    return whole ? make(type, arguments) : null;
  }

  private void unknownKeys(JsonNode table, String path, List<String> keys) {
    for (var name : table.propertyNames()) {
      if (!keys.contains(name)) {
        problem(
            join(path, name),
            "the unknown key \"" + name + "\"" + (path.isEmpty() ? "" : " in [" + bare(path) + "]"),
            expectedKeys(name, keys));
      }
    }
  }

  /// All keys where there are few, those that look alike where there are many.
  private static String expectedKeys(String name, List<String> keys) {
    if (keys.size() <= 12) {
      return "one of " + String.join(", ", keys);
    }
    var alike =
        keys.stream()
            .filter(key -> distance(name, key) <= 2 + name.length() / 4)
            .sorted((a, b) -> distance(name, a) - distance(name, b))
            .limit(3)
            .toList();
    return alike.isEmpty()
        ? "one of those in docs/configuration.md"
        : "perhaps " + String.join(" or ", alike);
  }

  /// Levenshtein's distance.
  private static int distance(String a, String b) {
    var row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int same = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(same, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  private @Nullable Object component(
      RecordComponent component, JsonNode table, String path, String key) {
    var annotation = component.getAnnotation(Config.Key.class);
    var here = join(path, key);
    var value = table.get(key);
    Class<?> type = component.getType();
    if (type == Optional.class) {
      if (value == null) {
        return Optional.empty();
      }
      var inner = value(argument(component.getGenericType()), value, here);
      return inner == null ? null : Optional.of(inner);
    }
    if (type == List.class) {
      Class<?> element = argument(component.getGenericType());
      if (element == String.class) {
        return texts(value, here);
      }
      return value == null && !annotation.required() ? List.of() : list(element, value, here);
    }
    if (value == null && type.isRecord()) {
      return record(type, EMPTY, here);
    }
    if (value == null && annotation.required()) {
      problem(
          path,
          "no " + key + (path.isEmpty() ? "" : " in [" + bare(path) + "]"),
          "%s = %s".formatted(key, annotation.example()));
      return null;
    }
    if (value == null) {
      return fallback(type, annotation.value(), here);
    }
    return value(type, value, here);
  }

  private @Nullable Object fallback(Class<?> type, String text, String path) {
    var factory = JsonNodeFactory.instance;
    JsonNode node;
    if (type == boolean.class) {
      node = factory.booleanNode(Boolean.parseBoolean(text));
    } else if (type == int.class) {
      node = factory.numberNode(Integer.parseInt(text));
    } else {
      node = factory.stringNode(text);
    }
    return value(type, node, path);
  }

  private @Nullable Object list(Class<?> type, @Nullable JsonNode value, String path) {
    if (value == null || (value.isArray() && value.isEmpty())) {
      problem("", "no [[" + path + "]]", "at least one");
      return null;
    }
    if (!value.isArray()) {
      problem(path, shown(value), type.isRecord() ? "[[" + path + "]]" : "a list in brackets");
      return null;
    }
    var list = new ArrayList<Object>();
    for (int i = 0; i < value.size(); i++) {
      var element = value(type, value.get(i), path + "[" + i + "]");
      if (element != null) {
        list.add(element);
      }
    }
    return list.size() == value.size() ? List.copyOf(list) : null;
  }

  private @Nullable Object texts(@Nullable JsonNode value, String path) {
    if (value == null) {
      return List.of();
    }
    var texts = new ArrayList<String>();
    for (int i = 0; value.isArray() && i < value.size(); i++) {
      if (value.get(i).isString() && !value.get(i).asString().isEmpty()) {
        texts.add(value.get(i).asString());
      }
    }
    return value.isArray() && texts.size() == value.size()
        ? List.copyOf(texts)
        : wrong(path, value, "a list of texts in quotes");
  }

  private @Nullable Object value(Class<?> type, JsonNode value, String path) {
    if (type.isRecord()) {
      return record(type, value, path);
    }
    if (type == boolean.class) {
      return value.isBoolean() ? value.asBoolean() : wrong(path, value, "true or false");
    }
    if (type == int.class || type == Integer.class) {
      return value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= 0
          ? value.asInt()
          : wrong(path, value, "a whole number of 0 to 2147483647");
    }
    if (type == Duration.class) {
      var duration = value.isString() ? duration(value.asString()) : Optional.<Duration>empty();
      return duration.isPresent()
          ? duration.get()
          : wrong(path, value, "a duration such as \"500ms\", \"30s\", \"10m\" or \"2h\"");
    }
    if (!value.isString()) {
      return wrong(path, value, "a text in quotes");
    }
    var text = value.asString();
    if (text.isEmpty()) {
      return wrong(path, value, "a text that is not empty");
    }
    if (type == Path.class) {
      try {
        return file.toAbsolutePath().resolveSibling(text).normalize();
      } catch (InvalidPathException e) {
        return wrong(path, value, "the path of a file");
      }
    }
    if (type.isEnum()) {
      var names = new ArrayList<String>();
      for (var constant : type.getEnumConstants()) {
        var name = constant.toString().toLowerCase(Locale.ROOT);
        if (name.equals(text)) {
          return constant;
        }
        names.add(name);
      }
      return wrong(path, value, "one of " + String.join(", ", names));
    }
    return text;
  }

  private @Nullable Object limits(JsonNode table, String path) {
    var types = new TreeMap<String, RecordComponent>();
    for (var component : Limits.class.getRecordComponents()) {
      types.put(kebab(component.getName()), component);
    }
    unknownKeys(table, path, List.copyOf(types.keySet()));
    var values = new HashMap<String, Object>();
    for (var name : table.propertyNames()) {
      var component = types.get(name);
      if (component == null) {
        continue;
      }
      var here = join(path, name);
      var value = value(component.getType(), table.get(name), here);
      if (value == null) {
        continue;
      }
      try {
        var _ = Limits.of(Map.of(component.getName(), value));
        values.put(component.getName(), value);
      } catch (IllegalArgumentException e) {
        var text = String.valueOf(e.getMessage());
        int expected = text.lastIndexOf("expected ");
        problem(
            here,
            shown(table.get(name)),
            expected < 0 ? "less" : text.substring(expected + "expected ".length()));
      }
    }
    return Limits.of(values);
  }

  /// What cannot be seen in one key alone.
  private void check(Config config) {
    if (!isHostname(config.hostname())) {
      problem("hostname", quoted(config.hostname()), "a host name such as mx.example.com");
    }
    if (config.tls().certificate().isPresent() != config.tls().key().isPresent()) {
      problem("tls", "only one of certificate and key", "both, or neither");
    }
    domains(config);
    var routed = new HashSet<String>();
    for (int i = 0; i < config.route().size(); i++) {
      check(config.route().get(i), "route[" + i + "]", routed);
    }
    for (int i = 0; i < config.dns().servers().size(); i++) {
      address(config.dns().servers().get(i), "dns.servers[" + i + "]");
    }
    if (config.dns().validation() == Config.DnsValidation.OWN
        && config.dns().trustAnchor().isEmpty()) {
      problem("dns.validation", "own, and no trust-anchor", "a DS or DNSKEY record of the root");
    }
    var addresses = new HashSet<String>();
    for (int i = 0; i < config.listener().size(); i++) {
      check(config.listener().get(i), "listener[" + i + "]", addresses);
    }
    config.metrics().address().ifPresent(text -> address(text, "metrics.address"));
    var auth = config.auth();
    atLeastOne("auth.failures-max", auth.failuresMax());
    atLeastOne("auth.remembered-max", auth.rememberedMax());
    atLeastOne("auth.hashes-at-once", auth.hashesAtOnce());
    atLeastOne("journey.megabytes-max", config.journey().megabytesMax());
    config.tlsReports().contact().ifPresent(text -> contact(config, text));
  }

  /// An address whose local part needs no quotes, in a domain that is here.
  private void contact(Config config, String text) {
    int at = text.lastIndexOf('@');
    var local = text.substring(0, Math.max(0, at));
    boolean plain =
        !local.isEmpty()
            && local.length() <= Address.LOCAL_PART_OCTETS_MAX
            && local.chars().allMatch(c -> c < 0x80 && (c == '.' || Address.isAtext(c)));
    var domain = text.substring(at + 1);
    if (!plain
        || config.domain().stream()
            .noneMatch(each -> each.name().equals(domain) && !each.backup())) {
      problem(
          "tls-reports.contact",
          quoted(text),
          "an address in a [[domain]] that is no backup, such as postmaster@example.com");
    }
  }

  private void domains(Config config) {
    var names = new HashSet<String>();
    var local = new HashSet<String>();
    for (var each : config.domain()) {
      if (each.aliasOf().isEmpty() && !each.backup()) {
        local.add(each.name());
      }
    }
    for (int i = 0; i < config.domain().size(); i++) {
      var domain = config.domain().get(i);
      var here = "domain[" + i + "].name";
      if (!isHostname(domain.name())) {
        problem(here, quoted(domain.name()), "a domain in lower case, such as example.com");
      } else if (!names.add(domain.name())) {
        problem(here, quoted(domain.name()) + " a second time", "each domain once");
      }
      var home = domain.aliasOf();
      if (home.isPresent() && domain.backup()) {
        problem("domain[" + i + "].backup", "true beside alias-of", "one of the two");
      } else if (home.isPresent() && !local.contains(home.get())) {
        problem(
            "domain[" + i + "].alias-of",
            quoted(home.get()),
            "the name of another [[domain]], which has no alias-of and no backup");
      }
    }
    if (!local.contains(config.domain().getFirst().name())) {
      problem(
          "domain[0].name",
          quoted(config.domain().getFirst().name()) + " with alias-of or backup",
          "a domain without them first");
    }
    if (config.srsDomain().isPresent()) {
      var name = config.srsDomain().get();
      if (config.domain().stream().noneMatch(each -> each.name().equals(name) && !each.backup())) {
        problem("srs-domain", quoted(name), "the name of a [[domain]] that is no backup");
      }
    }
  }

  private void atLeastOne(String path, int value) {
    if (value < 1) {
      problem(path, Integer.toString(value), "at least 1");
    }
  }

  private void check(Config.ListenerConfig listener, String path, Set<String> addresses) {
    for (var text : listener.trusted()) {
      if (Network.of(text).isEmpty()) {
        problem(
            path + ".trusted",
            quoted(text),
            "an IP address or a network of them, such as 10.0.0.0/8 or 2001:db8::/32");
      }
    }
    if (listener.proxyProtocol() && listener.trusted().isEmpty()) {
      problem(path + ".proxy-protocol", "true without trusted", "trusted, with the proxies");
    }
    var address = address(listener.address(), path + ".address");
    if (address.isPresent()) {
      if (!listener.address().endsWith(":0") && !addresses.add(listener.address())) {
        problem(path + ".address", quoted(listener.address()) + " a second time", "each once");
      }
      if (listener.plaintextLogin() && !address.get().isLoopbackAddress()) {
        problem(
            path + ".plaintext-login",
            "true for " + listener.address(),
            "true on loopback addresses (127.0.0.1, [::1]) only");
      }
    }
  }

  private void check(Config.RouteConfig route, String path, Set<String> routed) {
    if (!route.domain().equals("*") && !isHostname(route.domain())) {
      problem(path + ".domain", quoted(route.domain()), "a domain in lower case, or *");
    } else if (!routed.add(route.domain())) {
      problem(path + ".domain", quoted(route.domain()) + " a second time", "each domain once");
    }
    if (route.port() < 1 || route.port() > 65_535) {
      problem(path + ".port", Integer.toString(route.port()), "1 to 65535");
    }
    if (route.user().isPresent() != route.password().isPresent()) {
      problem(path, "only one of user and password", "both, or neither");
    }
    if (route.host().isEmpty()) {
      if (route.protocol() == Config.RouteProtocol.LMTP || route.user().isPresent()) {
        problem(path, "no host", "the host that speaks LMTP, or that one logs in at");
      }
    } else if (!isHostname(route.host().get()) && literal(route.host().get()).isEmpty()) {
      problem(path + ".host", quoted(route.host().get()), "a host name, or an address");
    }
    if (route.user().isPresent()
        && (route.tls() == Config.RouteTls.NONE || route.tls() == Config.RouteTls.OPPORTUNISTIC)) {
      problem(
          path + ".tls",
          route.tls().name().toLowerCase(Locale.ROOT) + " with a password",
          "required or implicit");
    }
    if (route.source().isPresent() && literal(route.source().get()).isEmpty()) {
      problem(path + ".source", quoted(route.source().get()), "an address of this machine");
    }
    route.sessionsMax().ifPresent(most -> atLeastOne(path + ".sessions-max", most));
  }

  static Optional<InetAddress> literal(String text) {
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private Optional<InetAddress> address(String text, String path) {
    try {
      return Optional.of(Listener.address(text).getAddress());
    } catch (IllegalArgumentException e) {
      problem(path, quoted(text), "address:port, as in 127.0.0.1:25 or [::1]:25");
      return Optional.empty();
    }
  }

  /// Labels of letters, digits and hyphens, in lower case.
  static boolean isHostname(String text) {
    if (text.isEmpty() || text.length() > 253) {
      return false;
    }
    int label = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.') {
        if (label == 0 || text.charAt(i - 1) == '-') {
          return false;
        }
        label = 0;
      } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label > 0)) {
        if (++label > 63) {
          return false;
        }
      } else {
        return false;
      }
    }
    return label > 0 && !text.endsWith("-");
  }

  /// Reads digits and a unit: `ms`, `s`, `m`, `h` or `d`; at most 365 days.
  static Optional<Duration> duration(String text) {
    int digits = 0;
    while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
      digits++;
    }
    if (digits == 0 || digits > 11) {
      return Optional.empty();
    }
    long number = Long.parseLong(text.substring(0, digits));
    var duration =
        switch (text.substring(digits)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          case "d" -> Duration.ofDays(number);
          default -> null;
        };
    return duration == null || duration.compareTo(Duration.ofDays(365)) > 0
        ? Optional.empty()
        : Optional.of(duration);
  }

  private @Nullable Object wrong(String path, JsonNode value, String expected) {
    problem(path, shown(value), expected);
    return null;
  }

  private void problem(String path, String found, String expected) {
    var key = path.isEmpty() ? "" : bare(path) + ": ";
    problems.add(
        "%s:%d: %sfound %s, expected %s".formatted(file, lines.of(path), key, found, expected));
  }

  private static String shown(JsonNode value) {
    var text = value.isString() ? quoted(value.asString()) : value.toString();
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }

  private static String quoted(String text) {
    var shown = new StringBuilder("\"");
    text.codePoints()
        .limit(80)
        .forEach(c -> shown.appendCodePoint(Character.isISOControl(c) ? '?' : c));
    return shown.append('"').toString();
  }

  private static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /// A path without the numbers of its lists.
  private static String bare(String path) {
    var bare = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      inside = c == '[' || (inside && c != ']');
      if (!inside && c != ']') {
        bare.append(c);
      }
    }
    return bare.toString();
  }

  private static Class<?> argument(Type type) {
    return (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[0];
  }

  private static Object make(Class<?> type, Object[] arguments) {
    try {
      var types =
          Arrays.stream(type.getRecordComponents())
              .map(RecordComponent::getType)
              .toArray(Class<?>[]::new);
      return type.getDeclaredConstructor(types).newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
