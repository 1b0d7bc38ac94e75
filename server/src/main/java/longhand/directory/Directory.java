package longhand.directory;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import longhand.auth.CredentialSource;
import longhand.auth.Credentials;
import longhand.disk.Disk;
import longhand.disk.FileSystemDisk;
import longhand.mail.Address;
import longhand.mail.Domain;

/// The domains and accounts of this server. Safe for any thread; changes of the files are picked
/// up. Several processes may change it at once: each takes `directory/.lock` while it writes.
public final class Directory implements CredentialSource, Closeable {

  private static final int LOCK_ATTEMPTS = 6_000;
  private static final int LOCK_PAUSE_MILLIS = 10;

  private final Disk disk;
  private final Path folder;
  private final Map<Domain, DomainFile> files = new LinkedHashMap<>();

  /// The directory under a data folder, made when there is none. A change that a crash cut short is
  /// brought to its end.
  ///
  /// @param domains those whose mail is delivered here; files of others are left alone
  public static Directory open(Path data, Collection<Domain> domains) throws IOException {
    return new Directory(new FileSystemDisk(), data, domains, new SecureRandom(), System::nanoTime);
  }

  Directory(
      Disk disk, Path data, Collection<Domain> domains, RandomGenerator random, LongSupplier nanos)
      throws IOException {
    this.disk = disk;
    folder = data.resolve("directory");
    if (!disk.exists(folder)) {
      disk.createFolders(folder);
      disk.forceFolder(data);
    }
    for (var domain : domains) {
      if (!isFileName(domain.name())) {
        throw new IllegalArgumentException("a domain that no file can be named after: " + domain);
      }
      files.put(domain, new DomainFile(disk, folder, domain, random, nanos));
    }
    for (var file : files.values()) {
      if (file.interrupted()) {
        try (var _ = lock()) {
          file.recover();
        }
      }
    }
  }

  /// Letters, digits, hyphens, and dots inside: nothing that leaves the folder.
  private static boolean isFileName(String name) {
    if (name.startsWith(".") || name.startsWith("-") || name.endsWith(".")) {
      return false;
    }
    return name.chars()
        .allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
  }

  /// The domains whose mail is delivered here.
  public Set<Domain> domains() {
    return java.util.Collections.unmodifiableSet(files.keySet());
  }

  /// Whether mail for that domain is delivered here.
  public boolean isLocal(Domain domain) {
    return files.containsKey(domain);
  }

  /// The account that gets mail for an address: any letter case, with or without sub-address
  /// (`jbob+x`); empty when there is none.
  ///
  /// @throws IOException when the file or the account's line cannot be read: the sender should try
  ///   later
  public Optional<AccountRecord> find(Address address) throws IOException {
    var file = files.get(address.domain());
    if (file == null) {
      return Optional.empty();
    }
    var localPart = address.canonical().localPart();
    var exact = file.find(localPart);
    int plus = localPart.indexOf('+');
    return exact.isPresent() || plus <= 0 ? exact : file.find(localPart.substring(0, plus));
  }

  /// The account of exactly that address, in any letter case; empty when there is none.
  public Optional<AccountRecord> account(Address address) throws IOException {
    var file = files.get(address.domain());
    return file == null ? Optional.empty() : file.find(address.canonical().localPart());
  }

  /// The canonical address of a name to log in with; a name without `@` is of the only domain.
  @Override
  public Optional<Address> address(String name) {
    int at = name.lastIndexOf('@');
    var localPart = at < 0 ? name : name.substring(0, at);
    if (localPart.isEmpty()
        || localPart.length() > Address.LOCAL_PART_OCTETS_MAX
        || localPart.chars().anyMatch(Character::isISOControl)) {
      return Optional.empty();
    }
    if (at < 0) {
      return files.size() == 1
          ? Optional.of(new Address(localPart, domains().iterator().next()).canonical())
          : Optional.empty();
    }
    var domain = name.substring(at + 1).toLowerCase(Locale.ROOT);
    if (domain.isEmpty() || domain.length() > Domain.OCTETS_MAX) {
      return Optional.empty();
    }
    return Optional.of(new Address(localPart, new Domain(domain)).canonical());
  }

  @Override
  public Optional<Credentials> credentials(Address account) throws IOException {
    return account(account)
        .map(
            found ->
                new Credentials(found.address(), found.password(), found.scram(), found.active()));
  }

  /// Adds accounts, or replaces those there are: of each domain all or none. Durable on return.
  ///
  /// @throws IllegalArgumentException when a domain is not one of this server
  public void put(List<AccountRecord> accounts) throws IOException {
    var byDomain = new TreeMap<Domain, List<AccountRecord>>();
    for (var account : accounts) {
      fileOf(account.address());
      byDomain.computeIfAbsent(account.address().domain(), _ -> new ArrayList<>()).add(account);
    }
    try (var _ = lock()) {
      for (var each : byDomain.values()) {
        var file = fileOf(each.getFirst().address());
        file.recover();
        file.put(each);
      }
    }
  }

  /// Adds an account unless there is one; false when there is. Durable on return.
  public boolean add(AccountRecord account) throws IOException {
    var file = fileOf(account.address());
    try (var _ = lock()) {
      file.recover();
      if (file.find(account.address().localPart(), true).isPresent()) {
        return false;
      }
      file.put(List.of(account));
      return true;
    }
  }

  /// Removes an account; false when there was none. Its document stays where it is. Durable on
  /// return.
  public boolean remove(Address address) throws IOException {
    var file = fileOf(address);
    try (var _ = lock()) {
      file.recover();
      return file.remove(address.canonical());
    }
  }

  /// Gives each account of a domain, in the order of the file. Look-ups in that domain wait
  /// meanwhile, so `consumer` must be quick.
  public void forEach(Domain domain, Consumer<AccountRecord> consumer) throws IOException {
    var file = files.get(domain);
    if (file != null) {
      file.forEach(consumer);
    }
  }

  /// How many accounts there are, in all domains.
  public long size() throws IOException {
    long size = 0;
    for (var file : files.values()) {
      size += file.size();
    }
    return size;
  }

  @Override
  public void close() throws IOException {
    for (var file : files.values()) {
      file.close();
    }
  }

  private DomainFile fileOf(Address address) {
    var file = files.get(address.domain());
    if (file == null) {
      throw new IllegalArgumentException("no domain of this server: " + address.domain());
    }
    return file;
  }

  /// Holds off other processes, and other directories of this one, while a file is written.
  private Closeable lock() throws IOException {
    var file = disk.open(folder.resolve(".lock"), Disk.Mode.CREATE);
    try {
      for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
        var held = file.tryLock();
        if (held != null) {
          return () -> {
            held.close();
            file.close();
          };
        }
        pause();
      }
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
    file.close();
    throw new IOException("the directory is being written for too long");
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(LOCK_PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
