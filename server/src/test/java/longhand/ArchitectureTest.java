package longhand;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Dependencies point down (style: nothing points up, protocols don't know each other, no cycles),
/// and each kind of thing from outside is known in one place only.
class ArchitectureTest {

  /// From the bottom up. A package may use those of the rows above its own row here, and no other.
  private static final List<List<String>> ROWS =
      List.of(
          List.of("mail"),
          List.of("wire", "disk", "dns"),
          List.of("http"),
          List.of("message", "auth", "mtasts", "srs", "tlsrpt", "journey"),
          List.of("directory", "index", "dkim", "relay", "dsn"),
          List.of("store", "check", "zone"),
          List.of("queue", "transfer", "sending"),
          List.of("delivery"),
          List.of("reporting"),
          List.of("smtp", "imap", "pop3"),
          List.of("server"));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("longhand");

  @Test
  void everyPackageHasItsPlace() {
    var known = ROWS.stream().flatMap(List::stream).map(name -> "longhand." + name).toList();
    assertThat(CLASSES.stream().map(each -> each.getPackageName()).distinct())
        .allMatch(name -> name.equals("longhand") || known.contains(name));
  }

  @TestFactory
  List<DynamicTest> nothingPointsUpOrAside() {
    var tests = new ArrayList<DynamicTest>();
    var below = new ArrayList<String>();
    for (var row : ROWS) {
      for (var name : row) {
        var allowed = new ArrayList<>(below);
        allowed.add("longhand." + name);
        var rule =
            noClasses()
                .that(resideInAPackage("longhand." + name))
                .should()
                .dependOnClassesThat(
                    resideInAPackage("longhand..")
                        .and(not(resideInAnyPackage(allowed.toArray(String[]::new)))))
                .allowEmptyShould(true);
        tests.add(DynamicTest.dynamicTest(name, () -> rule.check(CLASSES)));
      }
      row.forEach(name -> below.add("longhand." + name));
    }
    return tests;
  }

  @Test
  void onlyWireKnowsSockets() {
    noClasses()
        .that(not(resideInAPackage("longhand.wire")))
        .and(not(belongToAnyOf(trainingClass())))
        .should()
        .dependOnClassesThat(
            belongToAnyOf(
                java.net.Socket.class,
                java.net.ServerSocket.class,
                java.nio.channels.SocketChannel.class,
                java.nio.channels.ServerSocketChannel.class,
                javax.net.ssl.SSLSocket.class))
        .check(CLASSES);
  }

  /// Makes the build's AOT cache; not part of a server that runs.
  private static Class<?> trainingClass() {
    try {
      return Class.forName("longhand.server.Training");
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void onlyFewKnowFiles() {
    // The store and the accounts reach files through the seam `disk` alone; certificates and the
    // command line are read as plain files, so are those of other programs that are imported, and
    // the index, a cache, has its library's.
    noClasses()
        .that(
            not(
                resideInAnyPackage(
                    "longhand.disk",
                    "longhand.wire",
                    "longhand.index",
                    "longhand.transfer",
                    "longhand.server")))
        .should()
        .dependOnClassesThat(
            belongToAnyOf(
                java.nio.file.Files.class,
                java.nio.channels.FileChannel.class,
                java.io.RandomAccessFile.class,
                java.io.File.class,
                java.io.FileInputStream.class,
                java.io.FileOutputStream.class))
        .check(CLASSES);
  }

  @Test
  void libraries() {
    only("longhand.index", "org.h2..").check(CLASSES);
    only("longhand.server", "picocli..").check(CLASSES);
    noClasses()
        .that(not(resideInAnyPackage("longhand.server", "longhand.tlsrpt")))
        .should()
        .dependOnClassesThat(resideInAPackage("tools.jackson.."))
        .check(CLASSES);
    only("longhand.server", "io.prometheus..").check(CLASSES);
    only("longhand.server", "ch.qos.logback..").check(CLASSES);
    only("longhand.server", "org.slf4j..").check(CLASSES);
    only("longhand.auth", "com.ongres..").check(CLASSES);
    only("longhand.dns", "org.xbill..").check(CLASSES);
    only("longhand.message", "org.apache.james..").check(CLASSES);
  }

  private static com.tngtech.archunit.lang.ArchRule only(String ours, String theirs) {
    return noClasses()
        .that(not(resideInAPackage(ours)))
        .should()
        .dependOnClassesThat(resideInAPackage(theirs))
        .allowEmptyShould(true);
  }

  @Test
  void noPatternMeetsWhatAPeerSends() {
    noClasses()
        .that(not(resideInAPackage("longhand.server")))
        .should()
        .dependOnClassesThat(resideInAPackage("java.util.regex"))
        .orShould()
        .dependOnClassesThat(belongToAnyOf(java.util.Scanner.class, java.io.BufferedReader.class))
        .check(CLASSES);
  }

  @Test
  void logsGoThroughTheSystemLogger() {
    noClasses()
        .that(not(resideInAPackage("longhand.server")))
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(CLASSES);
  }

  @Test
  void everyPackageSaysWhatItIsFor() {
    classes()
        .that(resideInAPackage("longhand.."))
        .should(
            new com.tngtech.archunit.lang.ArchCondition<>("have a package-info") {
              @Override
              public void check(
                  com.tngtech.archunit.core.domain.JavaClass each,
                  com.tngtech.archunit.lang.ConditionEvents events) {
                if (each.getPackage().tryGetPackageInfo().isEmpty()) {
                  events.add(
                      com.tngtech.archunit.lang.SimpleConditionEvent.violated(
                          each, each.getPackageName() + " has no package-info.java"));
                }
              }
            })
        .check(CLASSES);
  }
}
