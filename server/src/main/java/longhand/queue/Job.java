package longhand.queue;

/// Some recipients of a message, to be tried together at one destination.
///
/// @param recipients their numbers in the envelope
/// @param again whether a session that had been used before broke under it already
record Job(QueuedMessage message, int[] recipients, boolean again) {

  Job onceMore() {
    return new Job(message, recipients, true);
  }
}
