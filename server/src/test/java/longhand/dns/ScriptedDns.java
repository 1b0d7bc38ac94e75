package longhand.dns;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The DNS of a test: answers what it was told to, and NXDOMAIN or no data otherwise.
public final class ScriptedDns implements Dns {

  private final Map<Question<?>, Answer<?>> answers = new HashMap<>();
  public final List<Question<?>> asked = new ArrayList<>();
  public Runnable whenAsked = () -> {};

  public ScriptedDns mx(String domain, Object... preferenceAndHost) {
    var records = new ArrayList<MailExchange>();
    for (int i = 0; i < preferenceAndHost.length; i += 2) {
      records.add(
          new MailExchange(
              (int) preferenceAndHost[i], new DnsName((String) preferenceAndHost[i + 1])));
    }
    return put(new Question.Mx(new DnsName(domain)), records);
  }

  public ScriptedDns host(String name, String... addresses) {
    var four = new ArrayList<Inet4Address>();
    var six = new ArrayList<Inet6Address>();
    for (var each : addresses) {
      switch (InetAddress.ofLiteral(each)) {
        case Inet4Address a -> four.add(a);
        case Inet6Address a -> six.add(a);
        default -> throw new IllegalArgumentException(each);
      }
    }
    put(new Question.A(new DnsName(name)), four);
    return put(new Question.Aaaa(new DnsName(name)), six);
  }

  public <T> ScriptedDns failed(Question<T> question) {
    answers.put(question, new Answer.Failed<T>("Looking up " + question.name() + ": no luck."));
    return this;
  }

  /// The text at a name; none takes away what was there.
  public ScriptedDns txt(String name, String... texts) {
    return put(new Question.Txt(new DnsName(name)), List.of(texts));
  }

  /// Any answer.
  public <T> ScriptedDns answer(Question<T> question, Answer<T> answer) {
    answers.put(question, answer);
    return this;
  }

  private <T> ScriptedDns put(Question<T> question, List<T> records) {
    answers.put(
        question,
        records.isEmpty()
            ? new Answer.NoSuchData<T>(true)
            : new Answer.Found<>(records, Duration.ofMinutes(5), true, question.name()));
    return this;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T> Answer<T> ask(Question<T> question, Duration within) {
    asked.add(question);
    whenAsked.run();
    var answer = (Answer<T>) answers.get(question);
    if (answer != null) {
      return answer;
    }
    boolean exists = answers.keySet().stream().anyMatch(q -> q.name().equals(question.name()));
    return exists ? new Answer.NoSuchData<>(true) : new Answer.NoSuchName<>(true);
  }
}
