package longhand.message;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One part while `MimeScanner` walks over it: what its header says and how far it reaches.
final class Entity {

  final int index;
  final @Nullable Entity parent;
  final long headerStart;
  final int depth;
  long bodyStart;
  long end;
  long lines;
  long lineCountAtBody;
  Part.Kind kind = Part.Kind.LEAF;

  /// Set for a multipart while its parts may go on.
  byte @Nullable [] boundary;

  String type = "TEXT";
  String subtype = "PLAIN";
  List<MimeValue.Parameter> parameters = List.of();
  @Nullable String id;
  @Nullable String description;
  String encoding = "7BIT";
  @Nullable String md5;
  @Nullable MimeValue disposition;
  List<String> languages = List.of();
  @Nullable String location;

  /// Of the message itself and of messages within it.
  byte @Nullable [] envelope;

  Entity(int index, @Nullable Entity parent, long headerStart) {
    this.index = index;
    this.parent = parent;
    this.headerStart = headerStart;
    this.depth = parent == null ? 0 : parent.depth + 1;
  }

  boolean isText() {
    return type.equalsIgnoreCase("text");
  }

  boolean isMessageRoot() {
    return parent == null || parent.kind == Part.Kind.MESSAGE;
  }

  /// Takes over what the header says. What its Content-Type asks for (parts, a message) is the
  /// scanner's to grant.
  ///
  /// @param textMax how many octets of text may still be kept of this message
  /// @return how many were kept
  int describe(Header header, boolean inDigest, int textMax) {
    var contentType = value(header, "Content-Type");
    int kept = 0;
    if (contentType == null) {
      if (inDigest) {
        type = "MESSAGE";
        subtype = "RFC822";
      } else {
        parameters = List.of(new MimeValue.Parameter("CHARSET", "US-ASCII"));
      }
    } else {
      var value = MimeValue.of(contentType);
      int slash = value.word().indexOf('/');
      if (slash > 0 && slash < value.word().length() - 1) {
        type = value.word().substring(0, slash);
        subtype = value.word().substring(slash + 1);
      } else if (value.word().equalsIgnoreCase("text")) {
        subtype = "PLAIN"; // RFC 1049 wrote it so
      }
      parameters = value.parameters();
    }
    for (var parameter : parameters) {
      kept += parameter.name().length() + parameter.value().length();
    }
    id = text(header, "Content-ID");
    description = text(header, "Content-Description");
    md5 = text(header, "Content-MD5");
    location = text(header, "Content-Location");
    kept += length(id) + length(description) + length(md5) + length(location);
    var transferEncoding = value(header, "Content-Transfer-Encoding");
    if (transferEncoding != null) {
      var word = MimeValue.of(transferEncoding).word();
      encoding = word.isEmpty() ? "7BIT" : word;
    }
    var contentDisposition = value(header, "Content-Disposition");
    if (contentDisposition != null) {
      disposition = MimeValue.of(contentDisposition);
      for (var parameter : disposition.parameters()) {
        kept += parameter.name().length() + parameter.value().length();
      }
      kept += disposition.word().length();
    }
    var language = value(header, "Content-Language");
    if (language != null) {
      languages = languages(language);
      kept += language.length;
    }
    kept += type.length() + subtype.length() + encoding.length();
    if (kept > textMax) {
      forget();
      return 0;
    }
    return kept;
  }

  /// Too much text in one message: the part is shown without its particulars.
  private void forget() {
    if (type.length() + subtype.length() > 256) {
      type = "APPLICATION";
      subtype = "OCTET-STREAM";
    }
    parameters = List.of();
    id = null;
    description = null;
    md5 = null;
    location = null;
    disposition = null;
    languages = List.of();
    encoding = encoding.length() > 32 ? "BINARY" : encoding;
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }

  private static byte @Nullable [] value(Header header, String name) {
    return header.first(name).map(HeaderField::value).orElse(null);
  }

  private static @Nullable String text(Header header, String name) {
    var value = value(header, name);
    return value == null ? null : new String(value, StandardCharsets.ISO_8859_1);
  }

  private static List<String> languages(byte[] value) {
    var tags = new ArrayList<String>();
    var tag = new StringBuilder();
    for (int i = 0; i <= value.length; i++) {
      int c = i < value.length ? value[i] : ',';
      if (c == ',') {
        if (!tag.isEmpty()) {
          tags.add(tag.toString());
        }
        tag.setLength(0);
      } else if (c > ' ' && c < 0x7f) {
        tag.append((char) c);
      }
    }
    return tags;
  }
}
