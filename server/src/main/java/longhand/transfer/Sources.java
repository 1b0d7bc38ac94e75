package longhand.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Finds out what files and folders hold: a folder with `cur` is a Maildir, with its Maildir++
/// folders; in any other folder files that begin with `From ` are mbox files, `.eml` files are
/// messages, folders are gone into. Links are not followed.
final class Sources {

  private static final int DEPTH_MAX = 32;

  private final List<MessageSource> found = new ArrayList<>();
  private final List<String> passedOver = new ArrayList<>();

  private record Folder(Path path, String mailbox, int depth) {}

  /// The sources in a file or folder.
  ///
  /// @throws IOException when it is nothing that can be read
  static Sources of(Path path) throws IOException {
    var sources = new Sources();
    boolean whole = false;
    try {
      if (Files.isDirectory(path)) {
        sources.folders(path);
      } else if (isEml(path)) {
        sources.found.add(MaildirSource.files(path, Optional.empty(), List.of(path)));
      } else if (MboxSource.isMbox(path)) {
        sources.found.add(new MboxSource(path, Optional.empty()));
      } else {
        throw new IOException(
            path + " is no mbox file (it does not begin with \"From \") and no .eml file");
      }
      whole = true;
      return sources;
    } finally {
      if (!whole) {
        sources.close();
      }
    }
  }

  List<MessageSource> found() {
    return found;
  }

  /// Files that are nothing we know.
  List<String> passedOver() {
    return passedOver;
  }

  void close() throws IOException {
    for (var source : found) {
      source.close();
    }
  }

  private static boolean isEml(Path path) {
    return String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT).endsWith(".eml");
  }

  private void folders(Path root) throws IOException {
    var waiting = new ArrayDeque<Folder>();
    waiting.add(new Folder(root, "", 0));
    while (!waiting.isEmpty()) {
      var folder = waiting.remove();
      if (Files.isDirectory(folder.path.resolve("cur"))) {
        maildir(folder);
        continue;
      }
      var messages = new ArrayList<Path>();
      for (var each : list(folder.path)) {
        var name = String.valueOf(each.getFileName());
        if (Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
          if (folder.depth < DEPTH_MAX) {
            waiting.add(
                new Folder(each, join(folder.mailbox, FileNames.decode(name)), folder.depth + 1));
          }
        } else if (!Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS) || name.startsWith(".")) {
          passedOver.add(each.toString());
        } else if (isEml(each)) {
          messages.add(each);
        } else if (MboxSource.isMbox(each)) {
          var plain = name.endsWith(".mbox") ? name.substring(0, name.length() - 5) : name;
          found.add(
              new MboxSource(each, Optional.of(join(folder.mailbox, FileNames.decode(plain)))));
        } else {
          passedOver.add(each.toString());
        }
      }
      if (!messages.isEmpty()) {
        found.add(
            MaildirSource.files(
                folder.path,
                folder.mailbox.isEmpty() ? Optional.empty() : Optional.of(folder.mailbox),
                messages));
      }
    }
  }

  private void maildir(Folder folder) throws IOException {
    found.add(
        MaildirSource.maildir(
            folder.path,
            folder.mailbox.isEmpty() ? Optional.empty() : Optional.of(folder.mailbox)));
    for (var each : list(folder.path)) {
      var name = String.valueOf(each.getFileName());
      if (name.startsWith(".") && Files.isDirectory(each.resolve("cur"))) {
        found.add(
            MaildirSource.maildir(
                each, Optional.of(join(folder.mailbox, MaildirNames.mailbox(name)))));
      }
    }
  }

  private static String join(String above, String name) {
    return above.isEmpty() ? name : above + "/" + name;
  }

  private static List<Path> list(Path folder) throws IOException {
    var paths = new ArrayList<Path>();
    try (var names = Files.newDirectoryStream(folder)) {
      names.forEach(paths::add);
    }
    paths.sort(null);
    return paths;
  }
}
