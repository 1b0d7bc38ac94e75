package longhand.transfer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Locale;

/// Writes one `.eml` file for each message, octet for octet as on the wire, in a folder for each
/// mailbox, named by UID; the file's time is when the message was saved. Flags have no place there.
public final class EmlSink implements MessageSink {

  private final Path root;

  /// @param root made when missing
  public EmlSink(Path root) {
    this.root = root;
  }

  @Override
  public void message(MessageFacts facts, InputStream wire) throws IOException {
    var folder = root.resolve(FileNames.encode(facts.mailbox()));
    Files.createDirectories(folder);
    var file = folder.resolve(String.format(Locale.ROOT, "%010d.eml", facts.uid()));
    Files.copy(wire, file, StandardCopyOption.REPLACE_EXISTING);
    Files.setLastModifiedTime(file, FileTime.from(facts.saved()));
  }

  @Override
  public void close() {
    // Each file is closed when it is written.
  }
}
