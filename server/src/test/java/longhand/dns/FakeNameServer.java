package longhand.dns;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/// A name server on 127.0.0.1 that answers what a test tells it to, octet for octet.
public final class FakeNameServer implements AutoCloseable {

  /// The datagrams that answer a query; none for silence.
  interface Udp {
    List<byte[]> answer(Message query) throws IOException;
  }

  /// Writes what answers a query over TCP, length and all.
  interface Tcp {
    void answer(Message query, Socket socket) throws IOException, InterruptedException;
  }

  private final DatagramSocket udpSocket;
  private final ServerSocket tcpSocket;
  final AtomicInteger queries = new AtomicInteger();

  /// One that answers every question with that code alone.
  ///
  /// @param rcode 3 that there is no such name, 5 that it refuses (RFC 1035 §4.1.1)
  public static FakeNameServer always(int rcode) throws IOException {
    return new FakeNameServer(
        query -> {
          var reply = new Message(query.getHeader().getID());
          reply.getHeader().setFlag(Flags.QR);
          reply.getHeader().setRcode(rcode);
          reply.addRecord(query.getQuestion(), Section.QUESTION);
          return List.of(reply.toWire());
        });
  }

  FakeNameServer(Udp udp) throws IOException {
    this(udp, (query, socket) -> {});
  }

  FakeNameServer(Udp udp, Tcp tcp) throws IOException {
    tcpSocket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    udpSocket = new DatagramSocket(tcpSocket.getLocalPort(), InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(() -> serveUdp(udp));
    Thread.ofVirtual().start(() -> serveTcp(tcp));
  }

  /// Where it answers.
  public InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), tcpSocket.getLocalPort());
  }

  private void serveUdp(Udp udp) {
    byte[] buffer = new byte[4096];
    while (!udpSocket.isClosed()) {
      try {
        var packet = new DatagramPacket(buffer, buffer.length);
        udpSocket.receive(packet);
        queries.incrementAndGet();
        byte[] query = java.util.Arrays.copyOf(buffer, packet.getLength());
        for (var each : udp.answer(new Message(query))) {
          udpSocket.send(new DatagramPacket(each, each.length, packet.getSocketAddress()));
        }
      } catch (IOException e) {
        // Closed, or a client that has gone: the next one, if any.
      }
    }
  }

  private void serveTcp(Tcp tcp) {
    while (!tcpSocket.isClosed()) {
      try (var socket = tcpSocket.accept()) {
        var in = new DataInputStream(socket.getInputStream());
        tcp.answer(new Message(in.readNBytes(in.readUnsignedShort())), socket);
      } catch (IOException | InterruptedException e) {
        // Closed, or a client that has gone: the next one, if any.
      }
    }
  }

  /// A reply with these lines of a zone file as its answer.
  static Message reply(Message query, int rcode, String... records) throws IOException {
    var reply = new Message(query.getHeader().getID());
    reply.getHeader().setFlag(Flags.QR);
    reply.getHeader().setFlag(Flags.RA);
    reply.getHeader().setRcode(rcode);
    reply.addRecord(query.getQuestion(), Section.QUESTION);
    for (var each : records) {
      int section = each.contains(" SOA ") ? Section.AUTHORITY : Section.ANSWER;
      try (var zone =
          new org.xbill.DNS.Master(
              new java.io.ByteArrayInputStream(
                  (each + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8)),
              Name.root)) {
        for (Record next = zone.nextRecord(); next != null; next = zone.nextRecord()) {
          reply.addRecord(next, section);
        }
      }
    }
    return reply;
  }

  @Override
  public void close() throws IOException {
    udpSocket.close();
    tcpSocket.close();
  }
}
