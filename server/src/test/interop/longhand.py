"""A Longhand server of its own for a file of tests: temporary data, free ports, accounts."""

import csv
import imaplib
import mailbox
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[4]
DOMAIN = "example.test"
PASSWORD = "correct horse 7"
PATIENCE = 60


def program(name):
    """Where a program is; skips the test, visibly, where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        raise unittest.SkipTest(f"{name} is not installed")
    return found


def run(*arguments, check=True, timeout=PATIENCE, **more):
    """Runs a program to its end; its whole output is in the error when it fails.

    When time is up, it ends with all the programs it started: one of them may hold the pipe.
    """
    given = more.pop("input", None)
    with subprocess.Popen(
            [str(each) for each in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, start_new_session=True,
            **more) as process:
        try:
            output, _ = process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError(
                f"{arguments[0]} does not end:\n{output.decode(errors='replace')}") from None
    done = subprocess.CompletedProcess(arguments, process.returncode, output)
    if check and done.returncode != 0:
        raise AssertionError(
            f"{arguments[0]} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}")
    return done


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def message(subject, body="One line.\r\n", sender="sender@elsewhere.test"):
    """A message as it is on the wire."""
    return (
        f"From: {sender}\r\nTo: you@{DOMAIN}\r\nSubject: {subject}\r\n"
        f"Date: Mon, 23 Nov 2026 04:00:00 +0000\r\nMessage-ID: <{subject.replace(' ', '.')}@elsewhere.test>\r\n"
        f"\r\n{body}").encode()


class Server:
    """One running server."""

    def __init__(self, accounts):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="longhand-interop-"))
        self.accounts = accounts
        names = ["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps", "proxied"]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.data = self.home / "data"
        self.certificate = self.data / "self-signed.pem"
        self.config = self.home / "longhand.toml"
        listeners = "".join(
            f'[[listener]]\nprotocol = "{protocol}"\naddress = "127.0.0.1:{self.ports[name]}"\n'
            f'tls = "{tls}"\nplaintext-login = {"true" if tls == "starttls" else "false"}\n'
            for name, protocol, tls in [
                ("smtp", "smtp", "starttls"), ("submission", "submission", "starttls"),
                ("submissions", "submission", "implicit"), ("pop3", "pop3", "starttls"),
                ("pop3s", "pop3", "implicit"), ("imap", "imap", "starttls"),
                ("imaps", "imap", "implicit"), ("proxied", "smtp", "starttls")])
        # The last may speak for others.
        listeners += 'trusted = ["127.0.0.1"]\n'
        self.config.write_text(
            f'hostname = "localhost"\ndata = "data"\n[[domain]]\nname = "{DOMAIN}"\n'
            f'{listeners}[auth]\ndelay = "0s"\n[limits]\nloopback-unbounded = true\n')
        with open(self.home / "accounts.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["address", "password", "name", "quota"])
            for each in accounts:
                rows.writerow([self.address(each), PASSWORD, each.title(), ""])
        run(ROOT / "longhand", "account", "import", "--config", self.config,
            self.home / "accounts.csv", timeout=600)
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(
            [ROOT / "longhand", "serve", "--config", self.config],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self):
        end = time.time() + PATIENCE
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.time() > end:
                        raise AssertionError("the server does not start:\n" + self.logged())
                    time.sleep(0.05)

    def logged(self):
        return (self.home / "log").read_text(errors="replace")

    def stop(self):
        """Ends the server and removes its data; fails when it did not end well or found faults."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        logged = self.logged()
        shutil.rmtree(self.home, ignore_errors=True)
        if code != 0 or " ERROR " in logged:
            raise AssertionError(f"the server ended with {code} and this log:\n{logged}")

    def address(self, account):
        return f"{account}@{DOMAIN}"

    def document(self, account):
        return self.data / "mail" / DOMAIN / account

    def imap(self, account):
        session = imaplib.IMAP4("127.0.0.1", self.ports["imap"])
        session.login(self.address(account), PASSWORD)
        return session

    def put(self, account, *messages):
        """Delivers messages by SMTP, as another server does."""
        import smtplib
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=PATIENCE) as session:
            for each in messages:
                session.sendmail("sender@elsewhere.test", [self.address(account)], each)

    def count(self, account, mailbox_name="INBOX"):
        with self.imap(account) as session:
            status, data = session.select(mailbox_name, readonly=True)
            assert status == "OK", data
            return int(data[0])

    def subjects(self, account, mailbox_name="INBOX"):
        """What IMAP shows, sorted."""
        with self.imap(account) as session:
            session.select(mailbox_name, readonly=True)
            _, data = session.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            return sorted(
                part[1].decode().split(":", 1)[1].strip()
                for part in data if isinstance(part, tuple))

    def flags(self, account, mailbox_name="INBOX"):
        """Subject to set of flags."""
        found = {}
        with self.imap(account) as session:
            session.select(mailbox_name, readonly=True)
            _, data = session.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            for i, part in enumerate(data):
                if isinstance(part, tuple):
                    text = part[0] + (data[i + 1] if isinstance(data[i + 1], bytes) else b"")
                    inside = text[text.index(b"FLAGS (") + 7:]
                    flags = inside[:inside.index(b")")].decode().split()
                    subject = part[1].decode().split(":", 1)[1].strip()
                    found[subject] = {flag for flag in flags if flag != "\\Recent"}
        return found

    def bodies(self, account, mailbox_name="INBOX"):
        """The whole messages, octet for octet, in order."""
        with self.imap(account) as session:
            session.select(mailbox_name, readonly=True)
            _, data = session.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in data if isinstance(part, tuple)]

    def read_document(self, account):
        """What Python's mailbox sees: subjects and flags, our own first entry left out."""
        box = mailbox.mbox(self.document(account), create=False)
        try:
            return [(each["Subject"], each.get_flags()) for each in box
                    if "FOLDER INTERNAL DATA" not in (each["Subject"] or "")]
        finally:
            box.close()

    def tls(self):
        """Trusts the server's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def eventually(self, question, seconds=15):
        """Waits for something to become true; settling takes a few seconds."""
        end = time.time() + seconds
        while True:
            answer = question()
            if answer or time.time() > end:
                return answer
            time.sleep(0.2)


class Case(unittest.TestCase):
    """Tests that share one server; each uses an account named after itself."""

    server = None
    others = []  # accounts beside those

    @classmethod
    def setUpClass(cls):
        names = [name[5:].replace("_", "-") for name in dir(cls) if name.startswith("test_")]
        names += cls.others
        cls.server = Server(names)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.account = self._testMethodName[5:].replace("_", "-")
        self.address = self.server.address(self.account)
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.server.home))
        self.environment = dict(os.environ, HOME=str(self.folder), LC_ALL="C.UTF-8")

    def write(self, name, text, mode=0o600):
        file = self.folder / name
        file.write_text(text)
        file.chmod(mode)
        return file
