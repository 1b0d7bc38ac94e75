/// Who someone is: password and SCRAM verifiers, and SASL exchanges that end in an account address.
/// Start reading at [longhand.auth.Sasl].
@NullMarked
package longhand.auth;

import org.jspecify.annotations.NullMarked;
