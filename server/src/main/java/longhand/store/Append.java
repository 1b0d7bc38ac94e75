package longhand.store;

import java.time.Instant;
import longhand.mail.ReversePath;

/// One message to put into one mailbox.
///
/// @param mailbox its number, `Mailbox.INBOX` for plain delivery
/// @param reversePath for the `From ` line; the null one where there is none
/// @param saved what INTERNALDATE will say
/// @param prefix wire octets to stand before the letter: trace fields (Return-Path, Received); may
///   be empty
/// @param letter finished; the same letter may go to many accounts
public record Append(
    Account account,
    int mailbox,
    ReversePath reversePath,
    Instant saved,
    Marks marks,
    byte[] prefix,
    Letter letter) {}
