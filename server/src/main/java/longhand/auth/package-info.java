/// Who someone is: password and SCRAM verifiers, and SASL exchanges that end in an account address.
/// It asks a [longhand.auth.CredentialSource] and knows no files. Start reading at
/// [longhand.auth.Sasl], then [longhand.auth.Authenticator].
@NullMarked
package longhand.auth;

import org.jspecify.annotations.NullMarked;
