package longhand.directory;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import longhand.mail.Domain;

/// The domains this server knows, each in one role.
///
/// @param local those with a file of their own, whose mail is delivered here
/// @param aliases other names of local domains: an address there is the same one in the domain it
///   leads to
/// @param backup those whose mail is taken and relayed to their own servers (RFC 5321 §5.1)
public record HostedDomains(List<Domain> local, Map<Domain, Domain> aliases, Set<Domain> backup) {

  public HostedDomains {
    local = List.copyOf(local);
    aliases = Map.copyOf(aliases);
    backup = Set.copyOf(backup);
    var seen = new HashSet<Domain>();
    for (var group : List.of(local, aliases.keySet(), backup)) {
      for (var domain : group) {
        if (!seen.add(domain)) {
          throw new IllegalArgumentException("a domain in two roles: " + domain);
        }
      }
    }
    for (var home : aliases.values()) {
      if (!local.contains(home)) {
        throw new IllegalArgumentException("another name of a domain that is not local: " + home);
      }
    }
  }

  /// Local ones alone.
  public static HostedDomains local(Collection<Domain> domains) {
    return new HostedDomains(List.copyOf(domains), Map.of(), Set.of());
  }

  Map<Domain, Hosting> roles() {
    var roles = new HashMap<Domain, Hosting>();
    local.forEach(domain -> roles.put(domain, new Hosting.Local(domain)));
    aliases.forEach((domain, home) -> roles.put(domain, new Hosting.Local(home)));
    backup.forEach(domain -> roles.put(domain, new Hosting.Backup()));
    return roles;
  }
}
