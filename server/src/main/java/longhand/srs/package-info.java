/// The Sender Rewriting Scheme: reverse-paths of a domain of ours for mail that is forwarded, so
/// that it passes SPF at the next server, and the way back for reports about it. Start reading at
/// [longhand.srs.SenderRewriting].
@NullMarked
package longhand.srs;

import org.jspecify.annotations.NullMarked;
