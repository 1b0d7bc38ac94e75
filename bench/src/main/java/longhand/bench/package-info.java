/// Measures Longhand beside Postfix with Dovecot: the same load on each in turn, on loopback, with
/// private configurations in a temporary folder. It needs nothing but the JDK and knows Longhand
/// only as a program that is started. Start reading at [Compare].
@org.jspecify.annotations.NullMarked
package longhand.bench;
