package longhand.directory;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
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
import org.jspecify.annotations.Nullable;

/// The domains, accounts and aliases of this server. Safe for any thread; changes of the files are
/// picked up. Several processes may change it at once: each takes `directory/.lock` while it
/// writes.
public final class Directory implements CredentialSource, Closeable {

  private static final int LOCK_ATTEMPTS = 6_000;
  private static final int LOCK_PAUSE_MILLIS = 10;
  private static final Hosting FOREIGN = new Hosting.Foreign();

  /// Most addresses that are looked at for the question who may send as an alias.
  private static final int SENDERS_MAX = 10_000;

  private final Disk disk;
  private final Path folder;
  private final Map<Domain, DomainFile> files = new LinkedHashMap<>();
  private final Map<Domain, Hosting> roles;

  /// The directory under a data folder, made when there is none. A change that a crash cut short is
  /// brought to its end.
  ///
  /// @param domains files of others are left alone
  public static Directory open(Path data, HostedDomains domains) throws IOException {
    return new Directory(new FileSystemDisk(), data, domains, new SecureRandom(), System::nanoTime);
  }

  /// As above, with local domains alone.
  public static Directory open(Path data, Collection<Domain> domains) throws IOException {
    return open(data, HostedDomains.local(domains));
  }

  Directory(
      Disk disk, Path data, Collection<Domain> domains, RandomGenerator random, LongSupplier nanos)
      throws IOException {
    this(disk, data, HostedDomains.local(domains), random, nanos);
  }

  Directory(Disk disk, Path data, HostedDomains domains, RandomGenerator random, LongSupplier nanos)
      throws IOException {
    this.disk = disk;
    roles = domains.roles();
    folder = data.resolve("directory");
    if (!disk.exists(folder)) {
      disk.createFolders(folder);
      disk.forceFolder(data);
    }
    for (var domain : domains.local()) {
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
  static boolean isFileName(String name) {
    if (name.startsWith(".") || name.startsWith("-") || name.endsWith(".")) {
      return false;
    }
    return name.chars()
        .allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
  }

  /// The domains that have a file of their own: those whose mail is delivered here, other names of
  /// them not among them.
  public Set<Domain> domains() {
    return java.util.Collections.unmodifiableSet(files.keySet());
  }

  /// What a domain is to this server.
  public Hosting hosting(Domain domain) {
    return roles.getOrDefault(domain, FOREIGN);
  }

  /// Whether mail for that domain is delivered here, under its own name or another.
  public boolean isLocal(Domain domain) {
    return roles.get(domain) instanceof Hosting.Local;
  }

  /// The file that has a domain's addresses; null when mail for it isn't delivered here.
  private @Nullable DomainFile homeOf(Domain domain) {
    return roles.get(domain) instanceof Hosting.Local(var home) ? files.get(home) : null;
  }

  /// The address as its domain's file has it: in the home domain, and the local part in lower case.
  /// Addresses of others are given back as they are: only their own server knows whether letter
  /// case counts (RFC 5321 §2.4).
  public Address home(Address address) {
    return roles.get(address.domain()) instanceof Hosting.Local(var home)
        ? inDomain(address, home).canonical()
        : address;
  }

  private static Address inDomain(Address address, Domain domain) {
    return address.domain().equals(domain) ? address : new Address(address.localPart(), domain);
  }

  /// What there is for an address, in any letter case: first the entry of that very local part,
  /// then that of what stands before its first `+`, then the wildcard that matches the latter with
  /// the most octets before and behind its star (of two with as many, the one with more before it).
  /// Empty when there is none, or the domain is not local.
  ///
  /// @throws IOException when the file or the line cannot be read: the sender should try later
  public Optional<Resolved> resolve(Address address) throws IOException {
    var file = homeOf(address.domain());
    if (file == null) {
      return Optional.empty();
    }
    var localPart = address.canonical().localPart();
    var exact = file.find(localPart);
    if (exact.isPresent()) {
      return Optional.of(new Resolved(exact.get(), Resolved.Match.EXACT, ""));
    }
    int plus = localPart.indexOf('+');
    var base = plus <= 0 ? localPart : localPart.substring(0, plus);
    var sub = plus <= 0 ? "" : address.localPart().substring(address.localPart().indexOf('+') + 1);
    if (plus > 0) {
      var found = file.find(base);
      if (found.isPresent()) {
        return Optional.of(new Resolved(found.get(), Resolved.Match.SUB_ADDRESS, sub));
      }
    }
    return file.wildcard(base).map(found -> new Resolved(found, Resolved.Match.WILDCARD, sub));
  }

  /// Where a target leads mail that came by an entry: a sub-address that was taken off goes along
  /// with a target of this server that has none of its own, unless it gets too long. Other servers
  /// may not know sub-addresses, so they get the target as it is.
  public Address along(Resolved by, Address target) {
    if (by.subAddress().isEmpty()
        || !isLocal(target.domain())
        || target.localPart().indexOf('+') >= 0) {
      return target;
    }
    var localPart = target.localPart() + "+" + by.subAddress();
    return localPart.getBytes(StandardCharsets.UTF_8).length > Address.LOCAL_PART_OCTETS_MAX
        ? target
        : new Address(localPart, target.domain());
  }

  /// The account that gets mail for an address: any letter case, with or without sub-address
  /// (`jbob+x`); empty when there is none, or an alias gets it.
  ///
  /// @throws IOException when the file or the account's line cannot be read: the sender should try
  ///   later
  public Optional<AccountRecord> find(Address address) throws IOException {
    return account(resolve(address).map(Resolved::entry));
  }

  /// The account of exactly that address, in any letter case; empty when there is none.
  public Optional<AccountRecord> account(Address address) throws IOException {
    return account(entry(address));
  }

  private static Optional<AccountRecord> account(Optional<DirectoryEntry> entry) {
    return entry.isPresent() && entry.get() instanceof AccountRecord account
        ? Optional.of(account)
        : Optional.empty();
  }

  /// The account or alias of exactly that address, in any letter case.
  public Optional<DirectoryEntry> entry(Address address) throws IOException {
    var file = homeOf(address.domain());
    return file == null ? Optional.empty() : file.find(address.canonical().localPart());
  }

  /// The alias of exactly that name; empty when there is none.
  public Optional<AliasRecord> alias(AliasName name) throws IOException {
    var file = files.get(name.domain());
    return file != null && file.find(name).orElse(null) instanceof AliasRecord alias
        ? Optional.of(alias)
        : Optional.empty();
  }

  /// Whether an account may send as an address, in MAIL and in From: its own one, with or without
  /// sub-address, in its domain and in other names of that; and an alias, a wildcard's addresses
  /// among them, if that alias's [Senders] say so. To get somebody's mail because that account
  /// forwards it gives no such right.
  ///
  /// @param account canonical
  /// @throws IOException when the file or a line cannot be read
  public boolean mayUse(Address account, Address used) throws IOException {
    var waiting = new ArrayDeque<Address>();
    var seen = new HashSet<Address>();
    waiting.add(used);
    while (!waiting.isEmpty()) {
      var found = resolve(waiting.remove());
      if (found.isEmpty()) {
        continue;
      }
      switch (found.get().entry()) {
        case AccountRecord record -> {
          if (record.address().equals(account)) {
            return true;
          }
        }
        case AliasRecord alias -> {
          switch (alias.senders()) {
            case Senders.Nobody _ -> {}
            case Senders.Listed(var accounts) -> {
              for (var each : accounts) {
                if (home(each).equals(account)) {
                  return true;
                }
              }
            }
            case Senders.Members _ -> {
              for (var target : alias.targets()) {
                var next = home(along(found.get(), target));
                if (isLocal(next.domain()) && seen.size() < SENDERS_MAX && seen.add(next)) {
                  waiting.add(next);
                }
              }
            }
          }
        }
      }
    }
    return false;
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
    return Optional.of(home(new Address(localPart, new Domain(domain)).canonical()));
  }

  @Override
  public Optional<Credentials> credentials(Address account) throws IOException {
    return account(account)
        .map(
            found ->
                new Credentials(found.address(), found.password(), found.scram(), found.active()));
  }

  /// Adds accounts, or replaces what there is of their names: of each domain all or none. Durable
  /// on return.
  ///
  /// @throws IllegalArgumentException when a domain is not one of this server
  public void put(List<AccountRecord> accounts) throws IOException {
    var byDomain = new TreeMap<Domain, List<AccountRecord>>();
    for (var account : accounts) {
      fileOf(account.address().domain());
      byDomain.computeIfAbsent(account.address().domain(), _ -> new ArrayList<>()).add(account);
    }
    try (var _ = lock()) {
      for (var each : byDomain.values()) {
        var file = fileOf(each.getFirst().address().domain());
        file.recover();
        file.put(each);
      }
    }
  }

  /// Adds an account unless there is one, or an alias of that name; false when there is. Durable on
  /// return.
  public boolean add(AccountRecord account) throws IOException {
    var file = fileOf(account.address().domain());
    try (var _ = lock()) {
      file.recover();
      if (file.findNow(AccountLine.key(account.address().localPart())).isPresent()) {
        return false;
      }
      file.put(List.of(account));
      return true;
    }
  }

  /// Removes an account; false when there was none. Its document stays where it is. Durable on
  /// return.
  public boolean remove(Address address) throws IOException {
    var file = fileOf(address.domain());
    try (var _ = lock()) {
      file.recover();
      return file.remove(AccountLine.key(address.canonical().localPart()), LineIndex.Kind.ACCOUNT);
    }
  }

  /// Writes an alias, if what there is of that name still is what the caller has seen; false when
  /// it is not, so that of two changes at once none is lost. Durable on return.
  ///
  /// @param seen empty when there was neither alias nor account
  public boolean putAlias(AliasRecord alias, Optional<AliasRecord> seen) throws IOException {
    var file = fileOf(alias.name().domain());
    try (var _ = lock()) {
      file.recover();
      if (!file.findNow(alias.name().key()).equals(seen.map(each -> (DirectoryEntry) each))) {
        return false;
      }
      file.put(List.of(alias));
      return true;
    }
  }

  /// Removes an alias; false when there was none. Durable on return.
  public boolean removeAlias(AliasName name) throws IOException {
    var file = fileOf(name.domain());
    try (var _ = lock()) {
      file.recover();
      return file.remove(name.key(), LineIndex.Kind.ALIAS);
    }
  }

  /// Gives each account of a domain, in the order of the file. Look-ups in that domain wait
  /// meanwhile, so `consumer` must be quick.
  public void forEach(Domain domain, Consumer<AccountRecord> consumer) throws IOException {
    forEachEntry(
        domain,
        entry -> {
          if (entry instanceof AccountRecord account) {
            consumer.accept(account);
          }
        });
  }

  /// As `forEach`, with each alias as well.
  public void forEachEntry(Domain domain, Consumer<DirectoryEntry> consumer) throws IOException {
    var file = files.get(domain);
    if (file != null) {
      file.forEach(consumer);
    }
  }

  /// Takes up at once what has changed in the files, as look-ups do at most once a second.
  public void refresh() throws IOException {
    for (var file : files.values()) {
      file.refresh();
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

  private DomainFile fileOf(Domain domain) {
    var file = files.get(domain);
    if (file == null) {
      throw new IllegalArgumentException("no domain of this server: " + domain);
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
