/// Where an address leads, which accounts get a message, and getting it there: from the addresses
/// of an envelope to appends in the store, and back to what became of each recipient. Uses the
/// directory and the store; knows no protocol. Start reading at [longhand.delivery.Delivery], and
/// for aliases at [longhand.delivery.Expansion].
@NullMarked
package longhand.delivery;

import org.jspecify.annotations.NullMarked;
