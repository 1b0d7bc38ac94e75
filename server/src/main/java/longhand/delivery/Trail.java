package longhand.delivery;

import java.util.ArrayDeque;
import java.util.List;
import longhand.mail.Address;
import org.jspecify.annotations.Nullable;

/// How mail for one address came to another: steps in plain words, made only when somebody asks.
///
/// @param before how it came to the step before; null at the beginning
/// @param asked the address as it is written where it was found
/// @param address the same in its home domain, the local part in lower case if it is ours
/// @param step why
public record Trail(@Nullable Trail before, Address asked, Address address, Step step) {

  /// Why mail for an address goes where it goes.
  public sealed interface Step {

    /// The address is an account, which gets the mail.
    ///
    /// @param subAddress what followed the `+`; empty when there was none
    record Account(Address account, String subAddress) implements Step {}

    /// The address is an alias, or one that a wildcard matches.
    ///
    /// @param alias its name
    /// @param wildcard whether a wildcard matched
    /// @param targets how many it has
    record Alias(String alias, boolean wildcard, String subAddress, int targets) implements Step {}

    /// The address is an account that forwards its mail.
    ///
    /// @param copy whether it keeps it as well
    record Forward(Address account, String subAddress, boolean copy, int targets) implements Step {}

    /// The domain is of others.
    record Relay() implements Step {}

    /// The domain is one whose mail we take for its own servers.
    record Backup() implements Step {}

    /// Nothing has that address.
    record Nothing() implements Step {}
  }

  /// The steps from the first to this one.
  public List<Trail> steps() {
    var steps = new ArrayDeque<Trail>();
    for (Trail at = this; at != null; at = at.before) {
      steps.addFirst(at);
    }
    return List.copyOf(steps);
  }

  /// This step in plain words, for people who look after the server: as `sales@example.com is an
  /// alias of 2 addresses`.
  public String words() {
    return (asked.domain().equals(address.domain())
            ? address.quoted()
            : asked.quoted() + " is " + address.quoted() + ", which")
        + switch (step) {
          case Step.Account(var account, var sub) ->
              (account.equals(address) ? " is an account" : " is an address of " + account.quoted())
                  + apart(sub);
          case Step.Alias(var alias, boolean wildcard, var sub, int targets) ->
              (wildcard ? " matches the wildcard " + alias : " is an alias")
                  + apart(sub)
                  + (targets == 1 ? "" : " of " + targets + " addresses");
          case Step.Forward(var account, var sub, boolean copy, int targets) ->
              (account.equals(address) ? " is an account" : " is an address of " + account.quoted())
                  + apart(sub)
                  + " that forwards to "
                  + targets
                  + (targets == 1 ? " address" : " addresses")
                  + (copy ? " and keeps a copy" : " and keeps nothing");
          case Step.Relay _ -> " is of another server";
          case Step.Backup _ -> " is of a domain that we are a backup for";
          case Step.Nothing _ -> " is no address here";
        };
  }

  private static String apart(String subAddress) {
    return subAddress.isEmpty() ? "" : " (+" + subAddress + " taken off)";
  }
}
