package longhand.journey;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;

/// Which journeys somebody wants to see: those with a station of certain kinds about a certain
/// subject. Letter case does not count.
public final class Wanted {

  private static final Set<Station.Kind> TO =
      EnumSet.of(Station.Kind.RECIPIENT, Station.Kind.STORED, Station.Kind.RELAY);
  private static final Set<Station.Kind> FROM = EnumSet.of(Station.Kind.SENDER, Station.Kind.LOGIN);
  private static final Set<Station.Kind> MESSAGE = EnumSet.of(Station.Kind.MESSAGE);

  private final String key;
  private final byte[] column;
  private final Set<Station.Kind> kinds;
  private final boolean id;

  private Wanted(String key, Set<Station.Kind> kinds, boolean id) {
    // As a station would hold it.
    this.key = new Station(Instant.EPOCH, "", Station.Kind.END, key, "", "").subject();
    this.column = StationLine.escaped(this.key).getBytes(StandardCharsets.UTF_8);
    this.kinds = kinds;
    this.id = id;
  }

  /// A message by the id that SMTP answered, or by its Message-ID, in angle brackets or without.
  public static Wanted named(String name) {
    boolean bare = name.indexOf('@') >= 0 && !name.startsWith("<");
    return new Wanted(bare ? "<" + name + ">" : name, MESSAGE, true);
  }

  /// Those for an address, as the client named it, or as the account it led to.
  public static Wanted to(String address) {
    return new Wanted(address, TO, false);
  }

  /// Those from an address: the reverse-path, or the account that logged in.
  public static Wanted from(String address) {
    return new Wanted(address, FROM, false);
  }

  /// What a filter knows it by.
  long hash() {
    return Filter.hash(key);
  }

  boolean isSeenIn(Line line) {
    return (id && line.idIs(column)) || (line.subjectIs(column) && line.kindIsOf(kinds));
  }
}
