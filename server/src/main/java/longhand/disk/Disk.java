package longhand.disk;

/// Where files are.
public interface Disk {}
