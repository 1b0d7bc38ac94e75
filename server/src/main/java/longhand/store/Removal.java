package longhand.store;

/// One message to take out of its mailbox.
public record Removal(Account account, Entry entry) {}
