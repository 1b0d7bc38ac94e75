package longhand.message;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// BODY and BODYSTRUCTURE of a scanned message as IMAP shows them (RFC 3501 §7.4.2).
final class BodyStructure {

  private final List<List<Entity>> children;
  private final boolean extended;
  private final ImapOctets out = new ImapOctets();

  private BodyStructure(List<Entity> entities, boolean extended) {
    this.extended = extended;
    this.children = new ArrayList<>(entities.size());
    for (var entity : entities) {
      children.add(entity.kind == Part.Kind.LEAF ? List.of() : new ArrayList<>(2));
      if (entity.parent != null) {
        children.get(entity.parent.index).add(entity);
      }
    }
  }

  static byte[] of(List<Entity> entities, boolean extended) {
    var structure = new BodyStructure(entities, extended);
    structure.write(entities.getFirst());
    return structure.out.toBytes();
  }

  /// A part whose inside is being written, and how much of it is done.
  private static final class Open {
    final Entity entity;
    int done;

    Open(Entity entity) {
      this.entity = entity;
    }
  }

  private void write(Entity root) {
    var open = new ArrayDeque<Open>();
    open.push(new Open(root));
    while (!open.isEmpty()) {
      var top = open.peek();
      var inside = children.get(top.entity.index);
      if (top.done == 0) {
        begin(top.entity);
      }
      if (top.done < inside.size()) {
        open.push(new Open(inside.get(top.done++)));
      } else {
        finish(top.entity, inside.isEmpty());
        open.pop();
      }
    }
  }

  private void begin(Entity entity) {
    out.text("(");
    if (entity.kind == Part.Kind.MULTIPART) {
      return;
    }
    out.string(entity.type).text(" ").string(entity.subtype).text(" ");
    out.parameters(entity.parameters).text(" ");
    out.nstring(entity.id).text(" ").nstring(entity.description).text(" ");
    out.string(entity.encoding).text(" ").number(entity.end - entity.bodyStart);
    if (entity.kind == Part.Kind.MESSAGE) {
      var message = children.get(entity.index).getFirst();
      out.text(" ").octets(message.envelope == null ? new byte[0] : message.envelope).text(" ");
    }
  }

  private void finish(Entity entity, boolean noParts) {
    if (entity.kind == Part.Kind.MULTIPART) {
      if (noParts) {
        // The grammar wants one part at least; this one is what the multipart holds: nothing.
        out.text("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0");
        out.text(extended ? " NIL NIL NIL NIL)" : ")");
      }
      out.text(" ").string(entity.subtype);
      if (extended) {
        out.text(" ").parameters(entity.parameters);
      }
    } else {
      if (entity.kind == Part.Kind.MESSAGE || entity.isText()) {
        out.text(" ").number(entity.lines);
      }
      if (extended) {
        out.text(" ").nstring(entity.md5);
      }
    }
    if (extended) {
      disposition(entity);
      languages(entity);
      out.text(" ").nstring(entity.location);
    }
    out.text(")");
  }

  private void disposition(Entity entity) {
    var disposition = entity.disposition;
    if (disposition == null || disposition.word().isEmpty()) {
      out.text(" NIL");
      return;
    }
    out.text(" (").string(disposition.word()).text(" ");
    out.parameters(disposition.parameters()).text(")");
  }

  private void languages(Entity entity) {
    out.text(" ");
    if (entity.languages.size() < 2) {
      out.nstring(entity.languages.isEmpty() ? null : entity.languages.getFirst());
      return;
    }
    var separator = "(";
    for (var tag : entity.languages) {
      out.text(separator).string(tag);
      separator = " ";
    }
    out.text(")");
  }
}
