package longhand.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import longhand.disk.DiskFile;
import org.jspecify.annotations.Nullable;

/// A message on its way into documents. It takes octets as the wire brings them (CRLF ends lines,
/// dots already unstuffed) and keeps them, in the form documents hold, in a [Spool]. One thread
/// writes, then `finish`; after that any number of appends may use it. Close gives back memory and
/// file.
public final class Letter implements Closeable {

  private static final byte[] NOTHING = {};

  private final Spool spool;
  private final StoredForm form = new Form();
  private boolean finished;

  /// @param spool empty; closed with this
  Letter(Spool spool) {
    this.spool = spool;
  }

  /// Takes the next octets. A bare LF becomes CRLF: documents have no other line ends.
  public void write(byte[] octets, int offset, int length) throws IOException {
    if (finished) {
      throw new IllegalStateException("the letter is finished");
    }
    form.write(octets, offset, length);
  }

  /// No more octets follow.
  public void finish() throws IOException {
    form.end();
    spool.finish();
    finished = true;
  }

  /// Octets on the wire so far.
  public long sizeOctets() {
    return form.wireOctets();
  }

  /// The finished letter, octet for octet as it came, lines ended by CRLF. Each call begins anew; a
  /// stream is of no use once the letter is closed.
  public InputStream open() throws IOException {
    if (!finished) {
      throw new IllegalStateException("the letter is not finished");
    }
    int stored = Math.toIntExact(storedLength());
    var file = file();
    var text = new Text(NOTHING, file == null ? memory() : null, file, 0, stored, quoted(), 0);
    var first = file == null ? Arrays.copyOf(memory(), stored) : NOTHING;
    return new WireForm(file, 0, first, 0, stored, quoted(), text.crc(), () -> {});
  }

  /// Whether a line stands quoted.
  boolean quoted() {
    return form.quoted();
  }

  /// Octets in the form documents hold.
  long storedLength() {
    return spool.length();
  }

  /// The spool file of a large letter.
  @Nullable DiskFile file() {
    return spool.file();
  }

  /// The stored octets of a small letter: the first `storedLength` of the array.
  byte[] memory() {
    return spool.memory();
  }

  @Override
  public void close() {
    spool.close();
  }

  private final class Form extends StoredForm {

    @Override
    void expect(int octets) throws IOException {
      spool.expect(octets);
    }

    @Override
    void put(byte[] octets, int offset, int count) throws IOException {
      spool.write(octets, offset, count);
    }

    @Override
    void put(int octet) throws IOException {
      spool.write(octet);
    }
  }
}
