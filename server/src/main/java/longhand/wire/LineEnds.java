package longhand.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Finds line ends in octets, eight at a time.
public final class LineEnds {

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGHS = 0x8080808080808080L;
  private static final long CRS = ONES * '\r';
  private static final long LFS = ONES * '\n';

  private LineEnds() {}

  /// The index of the first CR or LF from `from` to before `to`, or `to`.
  public static int find(byte[] octets, int from, int to) {
    int i = from;
    for (; i <= to - 8; i += 8) {
      long word = (long) LONGS.get(octets, i);
      long cr = word ^ CRS;
      long lf = word ^ LFS;
      // The lowest high bit set marks the first octet that is zero in `cr` or `lf`; borrows can
      // mark wrongly only above it.
      long marks = (((cr - ONES) & ~cr) | ((lf - ONES) & ~lf)) & HIGHS;
      if (marks != 0) {
        return i + (Long.numberOfTrailingZeros(marks) >>> 3);
      }
    }
    for (; i < to; i++) {
      if (octets[i] == '\r' || octets[i] == '\n') {
        return i;
      }
    }
    return to;
  }
}
