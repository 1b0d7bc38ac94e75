package longhand.store;

import java.util.List;

/// What has become different in a view since it was last told.
///
/// @param expunged sequence numbers in the order to report them, each as it is after those before
///   it
/// @param exists how many messages there are now, or -1 when no message came
/// @param recent how many are recent in this view, or -1 when no message came
/// @param changed entries whose marks changed, by sequence
public record Changes(List<Integer> expunged, int exists, int recent, List<Entry> changed) {

  /// Nothing new.
  public static final Changes NONE = new Changes(List.of(), -1, -1, List.of());

  /// Whether there is nothing to tell.
  public boolean isEmpty() {
    return expunged.isEmpty() && exists < 0 && changed.isEmpty();
  }
}
