package longhand.transfer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Writes one mbox file for each mailbox into a folder. Messages of a mailbox must come together.
public final class MboxFolderSink implements MessageSink {

  private final Path root;
  private String mailbox = "";
  private @Nullable MboxSink sink;

  /// @param root made when missing
  public MboxFolderSink(Path root) {
    this.root = root;
  }

  @Override
  public void message(MessageFacts facts, InputStream wire) throws IOException {
    var open = sink;
    if (open == null || !mailbox.equals(facts.mailbox())) {
      close();
      Files.createDirectories(root);
      mailbox = facts.mailbox();
      var file = root.resolve(FileNames.encode(mailbox) + ".mbox");
      open = new MboxSink(Files.newOutputStream(file));
      sink = open;
    }
    open.message(facts, wire);
  }

  @Override
  public void close() throws IOException {
    if (sink != null) {
      sink.close();
      sink = null;
    }
  }
}
