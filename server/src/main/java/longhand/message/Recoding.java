package longhand.message;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The same message with other transfer encodings, for those that cannot hold or carry it as it is
/// (RFC 2045 §6, RFC 3030 §3, RFC 6152 §3). What each part decodes to stays the same, and so do
/// boundaries, messages within, preambles and epilogues.
///
/// A message is read twice to be planned: its parts are found, then the octets of each are looked
/// at. `open` reads it once more, and changes what must change as it passes by. Memory is that of
/// the parts (`MimeScanner` bounds them) and of one header.
/// - A part that holds octets beyond the target becomes quoted-printable where it is text and three
///   quarters of it stay readable, else base64. Its new label stands where the old one stood.
/// - What is encoded already is never encoded once more: base64 is only wrapped anew, and in
///   quoted-printable the odd octets alone are written out.
/// - A multipart or a message within is relabelled only: encoding those is forbidden.
/// - In headers and between the parts a lone LF becomes CRLF, a lone CR or NUL a blank. In
///   preambles and epilogues, which nobody reads, octets above 127 become `?` where there are to be
///   none.
/// - Below multipart/signed nothing is touched that can stay. What cannot stay is recoded all the
///   same, which breaks the signature: a message that is read is worth more than one that comes
///   back (`breaksSignature` tells).
public final class Recoding {

  /// What the octets must become.
  public enum Target {
    /// Lines of any octets but NUL that end in CRLF, those of parts with 998 octets at most.
    TEXT,
    /// The same, and no octets above 127.
    SEVEN_BIT
  }

  /// Gives a message's octets; each call begins anew.
  @FunctionalInterface
  public interface Source {
    /// A stream that the caller closes.
    InputStream open() throws IOException;
  }

  static final int LINE_MAX = 998;

  /// How a stretch of the message is written.
  enum Way {
    AS_IS,
    /// A header that keeps its fields.
    FIELDS,
    /// Boundaries, preambles and epilogues.
    AROUND,
    /// A header whose label changes.
    LABEL,
    BASE64,
    QUOTED_PRINTABLE,
    /// base64 already, wrapped anew.
    REWRAP,
    /// quoted-printable already, odd octets written out.
    REPAIR
  }

  /// One stretch.
  ///
  /// @param label of a `LABEL`: the new Content-Transfer-Encoding
  /// @param root of a `LABEL`: whether the header is a message's and not a part's
  record Stretch(Way way, long from, long to, String label, boolean root) {}

  private final Source source;
  private final Target target;
  private final List<Entity> entities;
  private final List<Stretch> stretches = new ArrayList<>();

  /// By the index of the part: its new label, or null where the old one stays.
  private final @Nullable String[] labels;

  /// By the index of the part: how the body of one without parts is written.
  private final Way[] ways;

  private boolean needed;
  private boolean possible = true;
  private boolean breaksSignature;
  private boolean eightBitLeft;
  private boolean eightBitStructure;

  private Recoding(Source source, Target target, List<Entity> entities) {
    this.source = source;
    this.target = target;
    this.entities = entities;
    this.labels = new String[entities.size()];
    this.ways = new Way[entities.size()];
    Arrays.fill(ways, Way.AS_IS);
  }

  /// Looks at a message.
  public static Recoding of(Source source, Target target) throws IOException {
    List<Entity> entities;
    try (var in = source.open()) {
      entities = MimeScanner.scan(in).entities();
    }
    var recoding = new Recoding(source, target, entities);
    recoding.look();
    recoding.plan();
    return recoding;
  }

  /// Whether anything is to change; else `open` gives the message as it is.
  public boolean needed() {
    return needed;
  }

  /// Whether `open` gives what the target wants. Not when a part has a header of more than
  /// `Header.OCTETS_MAX` octets that would have to change, and not when octets above 127 in header
  /// fields or boundaries stay in a message that is to have none: they have no encoding that is
  /// right for every field.
  public boolean possible() {
    return possible;
  }

  /// Whether a part changes that was signed as it was.
  public boolean breaksSignature() {
    return breaksSignature;
  }

  /// Whether octets above 127 are in the message after it.
  public boolean eightBit() {
    return eightBitLeft || eightBitStructure;
  }

  /// The message as it becomes.
  public InputStream open() throws IOException {
    return needed ? new RecodedStream(source.open(), target, stretches) : source.open();
  }

  /// What there is in a stretch of octets, or in several.
  private static final class Look {
    long eightBit;
    boolean eightBitBoundary;
    boolean odd;
    boolean longLine;
    private long octets;
    private long plain;
    private long line;
    private boolean dashed;
    private boolean cr;

    void take(byte[] buffer, int length) {
      octets += length;
      for (int i = 0; i < length; i++) {
        byte octet = buffer[i];
        boolean blank = octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
        plain += blank || QuotedPrintableEncoder.cost(octet) == 1 ? 1 : 0;
        if (octet == '\n') {
          odd |= !cr;
          cr = false;
          line = 0;
          dashed = false;
          continue;
        }
        odd |= cr || octet == 0;
        cr = octet == '\r';
        dashed |= line == 0 && octet == '-';
        if (octet < 0) {
          eightBit++;
          eightBitBoundary |= dashed;
        }
        line++;
        longLine |= line > LINE_MAX + (cr ? 1 : 0);
      }
    }

    /// Ends a stretch: the next one begins a line of its own, as it does when it is written.
    void end() {
      odd |= cr;
      cr = false;
      line = 0;
      dashed = false;
    }

    /// Whether quoted-printable has fewer octets than base64, or few more and can be read.
    boolean mostlyPlain() {
      return 4 * plain >= 3 * octets;
    }
  }

  /// Reads the message beside its parts and decides for each what becomes of its body.
  private void look() throws IOException {
    var around = new Look();
    var fields = new Look();
    try (var in = source.open()) {
      var buffer = new byte[32 * 1024];
      long at = 0;
      for (int i = 0; i < entities.size(); i++) {
        var entity = entities.get(i);
        at = pass(in, buffer, at, entity.headerStart, around);
        at = pass(in, buffer, at, entity.bodyStart, fields);
        if (entity.kind == Part.Kind.LEAF) {
          var body = new Look();
          at = pass(in, buffer, at, entity.end, body);
          decide(i, body);
        }
      }
      pass(in, buffer, at, entities.getFirst().end, around);
    }
    boolean sevenBit = target == Target.SEVEN_BIT;
    needed |= around.odd || fields.odd || (sevenBit && around.eightBit > 0);
    eightBitStructure =
        fields.eightBit > 0 || (sevenBit ? around.eightBitBoundary : around.eightBit > 0);
    possible &= !sevenBit || !eightBitStructure;
  }

  private static long pass(InputStream in, byte[] buffer, long from, long to, Look look)
      throws IOException {
    long at = from;
    while (at < to) {
      int n = in.read(buffer, 0, (int) Math.min(buffer.length, to - at));
      if (n < 0) {
        throw new EOFException("a message that was longer when it was read before");
      }
      look.take(buffer, n);
      at += n;
    }
    look.end();
    return at;
  }

  private void decide(int index, Look look) {
    var entity = entities.get(index);
    var declared = entity.encoding.toLowerCase(Locale.ROOT);
    boolean eightBitUnwanted = target == Target.SEVEN_BIT && look.eightBit > 0;
    boolean encoded = declared.equals("base64") || declared.equals("quoted-printable");
    boolean mustChange =
        look.odd || eightBitUnwanted || (look.longLine && !declared.equals("quoted-printable"));
    boolean signed = isSigned(entity);
    if (!mustChange) {
      ways[index] = Way.AS_IS;
      eightBitLeft |= look.eightBit > 0;
      if (isMislabelled(entity) && !signed) {
        labels[index] = look.eightBit > 0 ? "8bit" : "7bit";
      }
    } else if (encoded) {
      ways[index] = declared.equals("base64") ? Way.REWRAP : Way.REPAIR;
    } else if (entity.isText() && look.mostlyPlain()) {
      ways[index] = Way.QUOTED_PRINTABLE;
      labels[index] = "quoted-printable";
    } else {
      ways[index] = Way.BASE64;
      labels[index] = "base64";
    }
    breaksSignature |= signed && mustChange;
    needed |= mustChange || labels[index] != null;
  }

  private static boolean isSigned(Entity entity) {
    for (var around = entity.parent; around != null; around = around.parent) {
      if (around.type.equalsIgnoreCase("multipart") && around.subtype.equalsIgnoreCase("signed")) {
        return true;
      }
    }
    return false;
  }

  private void plan() {
    boolean eightBit = eightBitLeft || (target == Target.TEXT && eightBitStructure);
    long at = 0;
    for (int i = 0; i < entities.size(); i++) {
      var entity = entities.get(i);
      boolean leaf = entity.kind == Part.Kind.LEAF;
      if (!leaf && isMislabelled(entity) && (!isSigned(entity) || breaksSignature)) {
        labels[i] = eightBit ? "8bit" : "7bit";
        needed = true;
      }
      add(Way.AROUND, at, entity.headerStart, "", false);
      if (labels[i] == null) {
        add(Way.FIELDS, entity.headerStart, entity.bodyStart, "", false);
      } else {
        possible &= entity.bodyStart - entity.headerStart <= Header.OCTETS_MAX;
        add(Way.LABEL, entity.headerStart, entity.bodyStart, labels[i], entity.isMessageRoot());
      }
      at = entity.bodyStart;
      if (leaf) {
        add(ways[i], at, entity.end, "", false);
        at = entity.end;
      }
    }
    add(Way.AROUND, at, entities.getFirst().end, "", false);
    if (!possible && target == Target.TEXT) {
      needed = false;
    }
  }

  private boolean isMislabelled(Entity entity) {
    return entity.encoding.equalsIgnoreCase("binary")
        || (target == Target.SEVEN_BIT && entity.encoding.equalsIgnoreCase("8bit"));
  }

  private void add(Way way, long from, long to, String label, boolean root) {
    if (from < to) {
      stretches.add(new Stretch(way, from, to, label, root));
    }
  }
}
