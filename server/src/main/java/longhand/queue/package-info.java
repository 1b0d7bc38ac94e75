/// Messages for other servers: kept in documents of the store until each recipient has its end
/// (invariant I8), tried by a schedule, many to a destination at once, and reported to who sent
/// them. Knows the store, what to say to another server (`relay`), and nothing of who brings
/// messages. Start reading at [longhand.queue.Queue].
@NullMarked
package longhand.queue;

import org.jspecify.annotations.NullMarked;
