package longhand.imap;

import java.io.IOException;
import java.io.Reader;

/// A text to be found within others, in any letter case. Finds in one pass whatever the texts are
/// (Knuth, Morris, Pratt), so that no search takes time of the product of two lengths.
final class Needle {

  private final char[] folded;

  /// Where to go on in `folded` after a mismatch at each place.
  private final int[] failure;

  Needle(String text) {
    folded = text.toCharArray();
    for (int i = 0; i < folded.length; i++) {
      folded[i] = fold(folded[i]);
    }
    failure = new int[folded.length + 1];
    int k = 0;
    for (int i = 1; i < folded.length; i++) {
      while (k > 0 && folded[i] != folded[k]) {
        k = failure[k];
      }
      k += folded[i] == folded[k] ? 1 : 0;
      failure[i + 1] = k;
    }
  }

  private static char fold(char c) {
    if (c < 0x80) {
      return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
    }
    return Character.toLowerCase(Character.toUpperCase(c));
  }

  boolean isEmpty() {
    return folded.length == 0;
  }

  private int step(int state, char c) {
    char wanted = fold(c);
    int k = state;
    while (k > 0 && folded[k] != wanted) {
      k = failure[k];
    }
    return folded[k] == wanted ? k + 1 : 0;
  }

  /// Whether it occurs in a text.
  boolean isIn(CharSequence text) {
    int state = 0;
    for (int i = 0; i < text.length() && state < folded.length; i++) {
      state = step(state, text.charAt(i));
    }
    return state == folded.length;
  }

  /// Whether it occurs in what a reader yields; reads no further than it must.
  boolean isIn(Reader text) throws IOException {
    var chunk = new char[4096];
    int state = 0;
    while (state < folded.length) {
      int n = text.read(chunk, 0, chunk.length);
      if (n < 0) {
        return false;
      }
      for (int i = 0; i < n && state < folded.length; i++) {
        state = step(state, chunk[i]);
      }
    }
    return true;
  }
}
