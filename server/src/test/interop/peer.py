"""A small SMTP server that does what a test tells it, and writes down what happens to it.

It is the outside witness: what it knows comes from the octets it read and wrote itself.
"""

import dataclasses
import socket
import ssl
import threading
import time

ALL = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "SIZE 0")


@dataclasses.dataclass
class Taken:
    """One message, from its MAIL to what became of the reply to its last octet."""

    mail: str  # the MAIL command
    recipients: list  # the RCPT commands
    data: bytes  # without the dots of SMTP
    tls: str  # the protocol's version, empty without TLS
    replied: float = 0.0  # when the 250 had been written, 0 when it was never written
    seen: bool = False  # whether the client did anything after it that it only does having read it
    gone: float = 0.0  # when the connection ended, if it did and nothing was seen


class Peer:
    """Listens on an address of its own; each connection has a thread.

    refuse: a function of the command's text that gives a reply instead of the usual, or None.
    """

    def __init__(self, address, port=25, name="peer", extensions=ALL, tls=None, refuse=None,
                 take=None, idle=60):
        self.name = name
        self.extensions = list(extensions)
        self.tls = tls
        self.refuse = refuse or (lambda command: None)
        self.take = take or (lambda message: None)
        self.idle = idle
        self.taken = []
        self.commands = []
        self.trouble = []
        self.lock = threading.Lock()
        self.open = set()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(200)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.thread.join(5)
        with self.lock:
            left = list(self.open)
        for each in left:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def messages(self, recipient=None):
        """What was taken so far; of that recipient's address alone, when one is given."""
        with self.lock:
            return [each for each in self.taken if each.replied and (
                recipient is None or any(recipient in rcpt for rcpt in each.recipients))]

    def talk(self, connection):
        with self.lock:
            self.open.add(connection)
        session = Session(self, connection)
        try:
            connection.settimeout(self.idle)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session.run()
        except ssl.SSLError as e:
            with self.lock:
                self.trouble.append(str(e))
        except (OSError, EOFError):
            pass  # the client is gone, which tests bring about
        finally:
            if session.last is not None:
                session.last.gone = time.monotonic()
            with self.lock:
                self.open -= {connection, session.connection}
            session.connection.close()
            connection.close()


class Session:

    def __init__(self, peer, connection):
        self.peer = peer
        self.connection = connection
        self.buffer = bytearray()
        self.last = None  # the message whose reply the client may not have read yet
        self.out = bytearray()

    def line(self):
        """The next line without its end; answers go out before it is waited for."""
        start = 0
        while True:
            end = self.buffer.find(b"\r\n", start)
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[:end + 2]
                return line
            start = max(0, len(self.buffer) - 1)
            self.fill()

    def fill(self):
        self.flush()
        more = self.connection.recv(1 << 16)
        if not more:
            raise EOFError
        self.buffer += more

    def flush(self):
        if self.out:
            self.connection.sendall(self.out)
            self.out.clear()

    def reply(self, *lines):
        for number, line in enumerate(lines):
            mark = "-" if number < len(lines) - 1 else " "
            self.out += f"{line[:3]}{mark}{line[4:]}\r\n".encode()

    def run(self):
        peer = self.peer
        self.reply(f"220 {peer.name} ESMTP")
        mail, recipients, tls = None, [], ""
        while True:
            text = self.line().decode("utf-8", "surrogateescape")
            if self.last is not None:
                # Clients here wait for the reply to a message before they say more.
                self.last.seen = True
                self.last = None
            with peer.lock:
                peer.commands.append(text)
            verb = text[:4].upper()
            refusal = peer.refuse(text)
            if refusal is not None:
                self.reply(refusal)
                if refusal.startswith("421"):
                    self.flush()
                    return
            elif verb == "EHLO":
                lines = list(peer.extensions)
                if peer.tls and not tls:
                    lines.append("STARTTLS")
                self.reply(*[f"250 {line}" for line in [peer.name, *lines]])
            elif verb == "HELO":
                self.reply(f"250 {peer.name}")
            elif verb == "STAR" and peer.tls and not tls:
                self.reply("220 2.0.0 go ahead")
                self.flush()
                self.connection = peer.tls.wrap_socket(self.connection, server_side=True)
                with peer.lock:
                    peer.open.add(self.connection)
                tls = self.connection.version()
                self.buffer.clear()
            elif verb == "MAIL":
                mail, recipients = text, []
                self.reply("250 2.1.0 sender ok")
            elif verb == "RCPT" and mail is not None:
                recipients.append(text)
                self.reply("250 2.1.5 recipient ok")
            elif verb == "DATA" and recipients:
                self.reply("354 go on")
                data = self.data()
                self.keep(Taken(mail, recipients, data, tls))
                mail, recipients = None, []
            elif verb == "BDAT" and recipients:
                self.reply("502 5.5.1 not here")
            elif verb == "RSET":
                mail, recipients = None, []
                self.reply("250 2.0.0 ok")
            elif verb == "NOOP":
                self.reply("250 2.0.0 ok")
            elif verb == "QUIT":
                self.reply("221 2.0.0 bye")
                self.flush()
                return
            else:
                self.reply("503 5.5.1 what?")

    def data(self):
        """RFC 5321 §4.5.2."""
        start = 0
        while True:
            if self.buffer[:3] == b".\r\n":
                end, length = 0, 3
            else:
                end, length = self.buffer.find(b"\r\n.\r\n", start), 5
                if end >= 0:
                    end, length = end + 2, 3
            if end >= 0:
                data = bytes(self.buffer[:end])
                del self.buffer[:end + length]
                if data.startswith(b"."):
                    data = data[1:]
                return data.replace(b"\r\n..", b"\r\n.")
            start = max(0, len(self.buffer) - 4)
            self.fill()

    def keep(self, message):
        peer = self.peer
        refusal = peer.take(message)
        if refusal is not None:
            self.reply(refusal)
            return
        with peer.lock:
            peer.taken.append(message)
        self.last = message
        self.reply("250 2.0.0 taken")
        # Before it is written: a client that gets it and dies must not be taken for one that read nothing.
        message.replied = time.monotonic()
        self.flush()
