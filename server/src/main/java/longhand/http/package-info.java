/// The client side of HTTPS, as far as mail needs it: one request to a host that a stranger names.
/// Uses `dns` and `wire`. Start reading at [longhand.http.HttpsClient].
@NullMarked
package longhand.http;

import org.jspecify.annotations.NullMarked;
