package longhand.server;

/// What the program ends with, as `sysexits.h` has it, so that scripts and systemd can tell.
final class ExitCode {

  /// It did what was asked.
  static final int OK = 0;

  /// The command line is wrong.
  static final int USAGE = 64;

  /// What was given to work on is wrong.
  static final int DATA = 65;

  /// A file to read is not there.
  static final int NO_INPUT = 66;

  /// There is no such account.
  static final int NO_USER = 67;

  /// Something needed cannot be had: a port, a lock.
  static final int UNAVAILABLE = 69;

  /// A mistake of ours.
  static final int SOFTWARE = 70;

  /// A file cannot be made.
  static final int CANNOT_CREATE = 73;

  /// Reading or writing failed.
  static final int IO = 74;

  /// It may work later.
  static final int TEMPORARY = 75;

  /// Not allowed.
  static final int NO_PERMISSION = 77;

  /// The configuration is wrong.
  static final int CONFIG = 78;

  private ExitCode() {}
}
