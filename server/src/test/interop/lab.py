"""A small internet on loopback addresses: names, certificates, policies, and mail servers.

Everything runs on addresses 127.83.N.x, where N is free; each server has its own, and port 25.

    .10  nsd: the root zone, lab.test, turning.test (signed), plain.test (not), and zones in trouble
    .11  HTTPS, for MTA-STS
    .12  unbound, which validates for the programs that do not do it themselves
    .21  a Longhand with DANE; it validates itself
    .22  another one; it believes unbound
    .31  Postfix    .32  Exim    .33  OpenSMTPD
    .41 and on: servers that a test makes (peer.Peer)

Other mail servers run under chroot in folders made for them, with the users, names and resolvers
that they need: nothing of the machine is read or changed. Exim and OpenSMTPD cannot be installed
beside Postfix; they are unpacked from Debian's packages into a cache.
"""

import contextlib
import fcntl
import hashlib
import http.server
import imaplib
import os
import pathlib
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from longhand import PASSWORD, PATIENCE, ROOT, program, run

CACHE = pathlib.Path(os.environ.get("LONGHAND_LAB_CACHE", "~/.cache/longhand-lab")).expanduser()
UNPACKED = CACHE / "root"

# Users of the programs under chroot; their own /etc/passwd has no others.
USERS = {"root": 0, "postfix": 61801, "Debian-exim": 61802, "opensmtpd": 61803, "opensmtpq": 61804,
         "box": 61805, "postdrop": 61806, "nobody": 65534}

STATUS = re.compile(r"^content-type: message/(?:global-)?delivery-status.*?\n\n(.*?)\n--",
                    re.DOTALL | re.IGNORECASE | re.MULTILINE)

POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n"


def sleep_until(question, seconds, what, every=0.1):
    """The answer to a question as soon as there is one; fails, with the words of `what`, without."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(what() if callable(what) else what)
        time.sleep(every)


def listening(address, port):
    with contextlib.suppress(OSError):
        socket.create_connection((address, port), timeout=2).close()
        return True
    return False


def letter(sender, to, subject, body="One line.\r\n", more=""):
    """A message as it is on the wire."""
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
            f"Date: Mon, 23 Nov 2026 04:00:00 +0000\r\nMessage-ID: <{time.time_ns()}@elsewhere.test>\r\n"
            f"{more}\r\n{body}").encode()


class Child:
    """A program with all that it starts, in a process group of its own; its output in a file."""

    def __init__(self, name, log, *arguments, **more):
        self.name = name
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [str(each) for each in arguments], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True, **more)

    def running(self):
        return self.process.poll() is None

    def logged(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, question, seconds=PATIENCE):
        def asked():
            if not self.running():
                raise AssertionError(f"{self.name} ended:\n{self.logged()}")
            return question()
        sleep_until(asked, seconds, lambda: f"{self.name} does not start:\n{self.logged()}")

    def stop(self, seconds=10):
        """Asks it to end, then ends it and whatever it left in its group."""
        self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        return code

    def kill(self):
        # The group is there as long as one process of it is, and then its number is not used again.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Jail:
    """A folder that is the root of a program: the program, its libraries, and a few files."""

    def __init__(self, folder, resolver, authority):
        self.root = pathlib.Path(folder)
        for each in ["dev", "etc/ssl/certs", "tmp", "var/mail", "var/spool", "var/lib", "run",
                     "var/log"]:
            (self.root / each).mkdir(parents=True)
        self.root.chmod(0o755)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "var/run").symlink_to("/run")
        for name, minor in [("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)]:
            device = self.root / "dev" / name
            try:
                os.mknod(device, 0o20666, os.makedev(1, minor))
                device.chmod(0o666)
                open(device, "rb").close()
            except OSError as e:
                raise unittest.SkipTest(f"no device files can be made here: {e}")
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(str(self.root / "dev/log"))
        (self.root / "dev/log").chmod(0o666)
        threading.Thread(target=self.write_log, daemon=True).start()
        self.write("etc/passwd", "".join(
            f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in USERS.items()))
        self.write("etc/group", "".join(
            f"{name}:x:{number}:\n" for name, number in USERS.items()))
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/resolv.conf", f"nameserver {resolver}\noptions edns0 trust-ad\n")
        self.write("etc/ssl/certs/ca-certificates.crt", authority.read_text())
        with contextlib.suppress(OSError):
            shutil.copy("/etc/services", self.root / "etc/services")
        shell = pathlib.Path("/bin/sh").resolve()
        self.program(shell)
        (self.root / "bin").mkdir(exist_ok=True)
        if not (self.root / "bin/sh").exists():
            (self.root / "bin/sh").symlink_to(shell)

    def write_log(self):
        """What the programs tell syslog; ends with the process, since nobody can end a recv."""
        with open(self.root / "var/log/syslog", "wb", buffering=0) as log:
            while True:
                try:
                    log.write(self.syslog.recv(8192).rstrip(b"\0\n") + b"\n")
                except OSError:
                    return

    def write(self, name, text, mode=0o644):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def folder(self, name, user="root", mode=0o755, group=None):
        made = self.root / name
        made.mkdir(parents=True, exist_ok=True)
        os.chown(made, USERS[user], USERS[group or user])
        made.chmod(mode)
        return made

    def program(self, file, to=None):
        """Copies a program or a library and what it is linked with; where to, inside."""
        file = pathlib.Path(file)
        self.copy(file, to or self.inside(file))
        libraries = [str(UNPACKED / each) for each in ("usr/lib/x86_64-linux-gnu", "usr/lib")]
        for folder in (UNPACKED / "usr/lib").glob("*-linux-gnu"):
            libraries.append(str(folder))
        found = run("ldd", file, env=dict(os.environ, LD_LIBRARY_PATH=":".join(libraries)))
        for line in found.stdout.decode().splitlines():
            words = line.split()
            if "not found" in line:
                raise unittest.SkipTest(f"{file.name} lacks a library: {line.strip()}")
            path = words[2] if "=>" in words and len(words) > 2 else words[0]
            if path.startswith("/") and self.inside(path) != self.inside(file):
                self.copy(path, self.inside(path))

    @staticmethod
    def inside(file):
        file = pathlib.Path(file)
        return file.relative_to(UNPACKED if file.is_relative_to(UNPACKED) else "/")

    def copy(self, file, to):
        target = self.root / to
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
            target.chmod(0o755)

    def maildir(self, name):
        """The messages there, as Python's email package reads them."""
        folder = self.root / "var/mail" / name
        found = []
        for each in [*folder.glob("new/*"), *folder.glob("cur/*")]:
            with contextlib.suppress(FileNotFoundError):
                found.append(each.read_bytes())
        return found


class Names:
    """The zones, and the servers that answer for them."""

    def __init__(self, lab):
        self.lab = lab
        self.folder = lab.home / "names"
        self.folder.mkdir()
        self.zones = {}
        self.keys = {}
        self.children = []

    def zone(self, name, text, signed=True, spoiled=False):
        """A zone file; names in it are relative to the zone. Signed, it gives the DS record."""
        origin = name if name.endswith(".") else name + "."
        file = self.folder / (origin.strip(".") or "root")
        server = self.lab.address(10)
        file.write_text(
            f"$ORIGIN {origin}\n$TTL 60\n"
            f"@ IN SOA ns.lab.test. hostmaster.lab.test. {int(time.time())} 3600 600 86400 1\n"
            "@ IN NS ns.lab.test.\n" + text.replace("@NS@", server))
        if signed:
            if origin not in self.keys:
                self.keys[origin] = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", origin,
                                        cwd=self.folder).stdout.decode().split()[-1]
            key = self.keys[origin]
            times = ["-i", "20200101000000", "-e", "20200201000000"] if spoiled else []
            run("ldns-signzone", *times, "-f", str(file) + ".signed", file, key, cwd=self.folder)
            digest = (self.folder / (key + ".ds")).read_text().strip()
            self.zones[origin] = pathlib.Path(str(file) + ".signed")
            return digest
        self.zones[origin] = file
        return ""

    def change(self, name, text):
        """Other records for a signed zone, under the same key; nsd reads its files anew."""
        self.zone(name, text)
        self.children[0].process.send_signal(signal.SIGHUP)

    def start(self, anchor):
        lab = self.lab
        missing = self.folder / "missing"
        zones = "".join(f'zone:\n name: "{name}"\n zonefile: "{file}"\n'
                        for name, file in self.zones.items())
        nsd = self.folder / "nsd.conf"
        nsd.write_text(f"""server:
 ip-address: {lab.address(10)}
 port: 53
 do-ip6: no
 server-count: 1
 username: root
 chroot: ""
 zonesdir: "{self.folder}"
 database: ""
 pidfile: "{self.folder}/nsd.pid"
 xfrdfile: "{self.folder}/xfrd.state"
 zonelistfile: "{self.folder}/zone.list"
 xfrdir: "{self.folder}"
 cookie-secret-file: "{self.folder}/cookies"
 rrl-ratelimit: 0
 rrl-whitelist-ratelimit: 0
remote-control:
 control-enable: no
{zones}zone:
 name: "servfail.test."
 zonefile: "{missing}"
""")
        self.children.append(Child("nsd", self.folder / "nsd.log", program("nsd"), "-d", "-c", nsd))
        unbound = self.folder / "unbound.conf"
        unbound.write_text(f"""server:
 interface: {lab.address(12)}
 port: 53
 do-ip6: no
 do-daemonize: no
 num-threads: 1
 username: ""
 chroot: ""
 directory: "{self.folder}"
 pidfile: "{self.folder}/unbound.pid"
 use-syslog: no
 logfile: ""
 access-control: 127.0.0.0/8 allow
 do-not-query-localhost: no
 outgoing-interface: {lab.address(12)}
 module-config: "validator iterator"
 trust-anchor: "{anchor}"
 local-zone: "test." nodefault
 local-zone: "127.in-addr.arpa." nodefault
 cache-max-ttl: 5
 cache-max-negative-ttl: 1
stub-zone:
 name: "."
 stub-addr: {lab.address(10)}
remote-control:
 control-enable: no
""")
        self.children.append(
            Child("unbound", self.folder / "unbound.log", program("unbound"), "-d", "-c", unbound))
        for child, last in zip(self.children, (10, 12)):
            child.wait_for(lambda last=last: listening(lab.address(last), 53))

    def stop(self):
        for each in self.children:
            each.stop()


class Policies:
    """An HTTPS server for MTA-STS: one policy a host, the certificate is that of the first."""

    def __init__(self, address, context):
        self.texts = {}
        self.asked = []
        policies = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self):
                host = self.headers["Host"]
                policies.asked.append(host)
                text = policies.texts.get(host)
                good = text is not None and self.path == "/.well-known/mta-sts.txt"
                self.send_response(200 if good else 404)
                self.send_header("Content-Type", "text/plain")
                body = (text if good else "nothing here\r\n").encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that leaves is none of ours

        self.server = Server((address, 443), Handler)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Longhand:
    """A Longhand server for domains, on port 25 of its address, with submission and IMAP there."""

    def __init__(self, lab, last, hostname, domains, accounts, dns, certificate=None, more=""):
        self.lab = lab
        self.address = lab.address(last)
        self.hostname = hostname
        self.home = lab.home / hostname
        self.home.mkdir()
        self.data = self.home / "data"
        self.config = self.home / "longhand.toml"
        tls = ""
        if certificate:
            tls = f'[tls]\ncertificate = "{certificate[0]}"\nkey = "{certificate[1]}"\n'
        self.config.write_text(
            f'hostname = "{hostname}"\ndata = "data"\n{tls}'
            + "".join(f'[[domain]]\nname = "{each}"\n' for each in domains)
            + f"""
[[listener]]
protocol = "smtp"
address = "{self.address}:25"
[[listener]]
protocol = "submission"
address = "{self.address}:587"
plaintext-login = true
[[listener]]
protocol = "imap"
address = "{self.address}:143"
plaintext-login = true
[dns]
{dns}
private-addresses = true
[queue]
retry-first = "2s"
retry-max = "4s"
[auth]
delay = "0s"
{more}
[limits]
loopback-unbounded = true
message-octets-max = 80000000
submission-recipients-max = 1200
account-messages-hour-max = 100000
account-messages-day-max = 100000
account-recipients-hour-max = 100000
account-recipients-day-max = 100000
account-new-recipients-hour-max = 100000
account-new-recipients-day-max = 100000
smtp-recipients-max = 1200
disk-free-megabytes-min = 300
""")
        csv = self.home / "accounts.csv"
        csv.write_text("address,password,name,quota\n" + "".join(
            f"{each},{PASSWORD},Somebody,\n" for each in accounts))
        self.environment = dict(
            os.environ, LONGHAND_JAVA_OPTIONS=f"-Djavax.net.ssl.trustStore={lab.trust} "
            "-Djavax.net.ssl.trustStorePassword=laboratory -Djava.net.preferIPv4Stack=true")
        run(ROOT / "longhand", "account", "import", "--config", self.config, csv, timeout=600)
        self.child = None

    def start(self):
        self.child = Child(self.hostname, self.home / "log", ROOT / "longhand", "serve", "--config",
                           self.config, env=self.environment)
        return self

    def ready(self):
        for port in (25, 587, 143):
            self.child.wait_for(lambda port=port: listening(self.address, port))
        return self

    def command(self, *words):
        """What a command says with this server's configuration."""
        return run(ROOT / "longhand", *words, "--config", self.config, timeout=120,
                   env=self.environment).stdout.decode()

    def kill(self):
        """As `kill -9` does, the moment it is called."""
        self.child.kill()

    def stop(self):
        if self.child is None:
            return
        code = self.child.stop(20)
        logged = self.logged()
        if code != 0 or " ERROR " in logged:
            raise AssertionError(f"{self.hostname} ended with {code} and this log:\n{logged[-5000:]}")

    def logged(self):
        return self.child.logged()

    def submission(self, user, tls=False):
        session = smtplib.SMTP(self.address, 587, local_hostname="client.test", timeout=PATIENCE)
        if tls:
            # The authority vouches for the name, and the client has only the address.
            context = ssl.create_default_context(cafile=self.lab.authority)
            context.check_hostname = False
            session.starttls(context=context)
        session.login(user, PASSWORD)
        return session

    def send(self, sender, to, message, mail=(), rcpt=()):
        """Hands in a message, as a user does; gives the reply's text."""
        to = [to] if isinstance(to, str) else to
        with self.submission(sender, "REQUIRETLS" in mail) as session:
            session.ehlo_or_helo_if_needed()
            code, said = session.docmd(f"MAIL FROM:<{sender}>" + "".join(f" {o}" for o in mail)) \
                if "SMTPUTF8" not in mail else self.utf8(session, sender, mail)
            assert code == 250, said
            for each in to:
                session.putcmd(f"RCPT TO:<{each}>" + "".join(f" {o}" for o in rcpt))
            for each in to:
                code, said = session.getreply()
                assert code == 250, (each, said)
            code, said = session.data(message)
            assert code == 250, said
            return said.decode()

    @staticmethod
    def utf8(session, sender, mail):
        session.command_encoding = "utf-8"
        return session.docmd(f"MAIL FROM:<{sender}>" + "".join(f" {o}" for o in mail))

    def announces(self, word):
        with smtplib.SMTP(self.address, 587, timeout=PATIENCE) as session:
            session.ehlo("client.test")
            return session.has_extn(word)

    def inbox(self, user):
        """The whole messages of an account, in order."""
        with imaplib.IMAP4(self.address, 143, timeout=PATIENCE) as session:
            self.login(session, user)
            if session.select(readonly=True)[1] == [b"0"]:
                return []
            _, data = session.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in data if isinstance(part, tuple)]

    @staticmethod
    def login(session, user):
        session.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())

    def count(self, user):
        with imaplib.IMAP4(self.address, 143, timeout=PATIENCE) as session:
            self.login(session, user)
            return int(session.select(readonly=True)[1][0])

    def wait_for(self, user, text, seconds=30):
        """The message of an account that has those octets."""
        text = text.encode()
        return sleep_until(
            lambda: next((each for each in self.inbox(user) if text in each), None), seconds,
            lambda: f"{user} gets no {text}; {self.hostname} says\n{self.logged()[-3000:]}", 0.2)

    def outcome(self, recipient, seconds=30):
        """What the log says of the first try for a recipient: `waiting, 4.7.5 host: words`."""
        mark = f" to {recipient}: "

        def find():
            for line in self.logged().splitlines():
                if mark in line:
                    return line.split(mark, 1)[1]
            return None
        return sleep_until(find, seconds, lambda: f"no try for {recipient}:\n{self.logged()[-3000:]}")


def parts_of_report(message):
    """Of a DSN: the fields of the message, and those of each recipient, as dicts in lower case."""
    text = message.decode("utf-8", "replace").replace("\r\n", "\n")
    found = STATUS.search(text)
    if not found:
        raise AssertionError(f"no report:\n{text}")
    blocks = []
    for block in found.group(1).replace("\n ", " ").replace("\n\t", " ").split("\n\n"):
        fields = [line.partition(":") for line in block.splitlines() if ":" in line]
        if fields:
            blocks.append({name.lower(): value.strip() for name, _, value in fields})
    return blocks[0], blocks[1:]


class Lab:
    """All of it. Made once for a file of tests; `stop` ends all and removes what was written."""

    def __init__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("not root: ports 25 and 53 cannot be had")
        for each in ("nsd", "unbound", "ldns-signzone", "ldns-keygen", "openssl", "chroot", "ldd"):
            program(each)
        self.number, self.locked = self.free_network()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="longhand-lab-"))
        self.home.chmod(0o755)
        self.stops = []
        try:
            self.certificates()
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def free_network():
        """A third octet that no other lab has; the lock goes with the process."""
        for number in range(1, 250):
            lock = open(pathlib.Path(tempfile.gettempdir()) / f"longhand-lab-{number}.lock", "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            for kind, port in ((socket.SOCK_STREAM, 25), (socket.SOCK_DGRAM, 53),
                               (socket.SOCK_STREAM, 443)):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind((f"127.83.{number}.10", port))
                    except OSError as e:
                        raise unittest.SkipTest(f"port {port} of 127.83.{number}.10: {e}")
            return number, lock
        raise unittest.SkipTest("no network 127.83.N.0 is free")

    def address(self, last):
        return f"127.83.{self.number}.{last}"

    def stopping(self, thing):
        self.stops.append(thing.stop)
        return thing

    def stop(self):
        failures = []
        for each in reversed(self.stops):
            try:
                each()
            except Exception as e:
                failures.append(e)
        shutil.rmtree(self.home, ignore_errors=True)
        self.locked.close()
        if failures:
            raise failures[0]

    # Certificates.

    def certificates(self):
        self.authority = self.home / "authority.pem"
        self.authority_key = self.home / "authority.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=Lab Authority", "-keyout", self.authority_key,
            "-out", self.authority)
        self.trust = self.home / "trust.p12"
        java = run(ROOT / "longhand", "--java-home").stdout.decode().strip()
        run(f"{java}/bin/keytool", "-importcert", "-noprompt", "-alias", "lab", "-storetype",
            "PKCS12", "-keystore", self.trust, "-storepass", "laboratory", "-file", self.authority)

    def certificate(self, *names, own=False):
        """Files of a certificate for names and its key; signed by itself when `own`."""
        stem = self.home / f"{'own-' if own else ''}{names[0].replace('*', '_')}"
        file, key = stem.with_name(stem.name + ".pem"), stem.with_name(stem.name + ".key")
        if not file.exists():
            issuer = [] if own else ["-CA", self.authority, "-CAkey", self.authority_key]
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30", *issuer, "-subj",
                f"/CN={names[0]}", "-addext",
                "subjectAltName=" + ",".join(f"DNS:{each}" for each in names), "-addext",
                "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", file)
        return file, key

    def tls(self, *names, own=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate(*names, own=own))
        return context

    @staticmethod
    def tlsa(certificate):
        """The data of a TLSA record 3 1 1."""
        pem = run("openssl", "x509", "-in", certificate[0], "-noout", "-pubkey").stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem,
                             stdout=subprocess.PIPE, check=True, timeout=PATIENCE).stdout
        return "3 1 1 " + hashlib.sha256(der).hexdigest()

    # Names.

    def names(self, signed, plain, turning="ns IN A 127.0.0.1\n"):
        """Serves lab.test and turning.test (signed) and plain.test (not), with those lines in them."""
        names = Names(self)
        self.stops.append(names.stop)
        lab = names.zone("lab.test", "ns IN A @NS@\n" + signed)
        names.zone("plain.test", plain, signed=False)
        turns = names.zone("turning.test", turning)
        bogus = names.zone("bogus.test", f"@ IN MX 10 mx\nmx IN A {self.address(41)}\n", spoiled=True)
        self.anchor = names.zone(
            ".", f"ns.lab.test. IN A @NS@\nlab.test. IN NS ns.lab.test.\n{lab}\n"
            f"turning.test. IN NS ns.lab.test.\n{turns}\n"
            f"bogus.test. IN NS ns.lab.test.\n{bogus}\nplain.test. IN NS ns.lab.test.\n"
            "servfail.test. IN NS ns.lab.test.\n")
        self.anchor = " ".join(self.anchor.split())
        names.start(self.anchor)
        return names

    def own_dns(self):
        return (f'servers = ["{self.address(10)}:53"]\nvalidation = "own"\n'
                f"trust-anchor = ['{self.anchor}']")

    def unbound_dns(self):
        return f'servers = ["{self.address(12)}:53"]\nvalidation = "server"'

    def jail(self, name):
        return Jail(self.home / name, self.address(12), self.authority)

    # Other servers.

    def postfix(self, domains):
        return self.stopping(Postfix(self, domains))

    def exim(self, domains):
        return self.stopping(Exim(self, domains))

    def opensmtpd(self, domains):
        return self.stopping(OpenSmtpd(self, domains))


class Other:
    """A mail server that is not ours. All addresses of its domains are boxes, but nobody@."""

    def start(self, name, *arguments):
        self.child = Child(name, self.jail.root / "var/log/output", program("chroot"),
                           self.jail.root, *arguments)
        try:
            self.child.wait_for(lambda: listening(self.address, 25))
        except BaseException as e:
            self.child.kill()
            if isinstance(e, AssertionError):
                raise AssertionError(
                    f"{name} ended with {self.child.process.returncode}:\n{self.logged()}") from None
            raise

    def stop(self):
        self.child.stop()

    def logged(self):
        return "".join(each.read_text(errors="replace")
                       for each in sorted((self.jail.root / "var/log").rglob("*")) if each.is_file())

    def box(self):
        return self.jail.maildir("box")

    def send(self, sender, to, message, mail=(), rcpt=()):
        """Hands in a message for others, which it relays for this machine."""
        with smtplib.SMTP(self.address, 25, local_hostname="client.test",
                          timeout=PATIENCE) as session:
            session.ehlo_or_helo_if_needed()
            if "SMTPUTF8" in mail:
                session.command_encoding = "utf-8"
            session.sendmail(sender, to, message, mail_options=mail, rcpt_options=rcpt)

    def wait_for(self, text, seconds=30):
        text = text.encode() if isinstance(text, str) else text
        return sleep_until(
            lambda: next((each for each in self.box() if text in each), None), seconds,
            lambda: f"no {text} arrives; it says\n{self.logged()[-4000:]}", 0.2)


class Postfix(Other):

    def __init__(self, lab, domains):
        self.address = lab.address(31)
        daemons = pathlib.Path("/usr/lib/postfix/sbin")
        program("postfix")
        if not (daemons / "master").exists():
            raise unittest.SkipTest("Postfix is not where Debian has it")
        self.jail = jail = lab.jail("postfix")
        for each in ("master", "bounce", "cleanup", "error", "flush", "pickup", "proxymap", "qmgr", "scache", "showq", "smtp", "smtpd", "tlsmgr",
                     "trivial-rewrite", "virtual", "anvil"):
            if (daemons / each).exists():
                jail.program((daemons / each).resolve(), (daemons / each).relative_to("/"))
        for library in daemons.parent.glob("libpostfix-*.so*"):
            jail.program(library)
        queue = jail.folder("var/spool/postfix")
        for each in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "private", "saved", "trace"):
            jail.folder(f"var/spool/postfix/{each}", "postfix", 0o700, "root")
        jail.folder("var/spool/postfix/pid")
        jail.folder("var/spool/postfix/maildrop", "postfix", 0o730, "postdrop")
        jail.folder("var/spool/postfix/public", "postfix", 0o710, "postdrop")
        jail.folder("var/lib/postfix", "postfix", 0o700)
        jail.folder("var/mail", "box")
        assert queue.exists()
        file, key = lab.certificate("mx.postfix.lab.test")
        jail.write("etc/postfix/cert.pem", key.read_text() + file.read_text(), 0o600)
        listed = " ".join(domains)
        jail.write("etc/postfix/boxes", "".join(f"@{each} box/\n" for each in domains))
        jail.write("etc/postfix/refused", "".join(f"nobody@{each} REJECT no such box\n" for each in domains))
        jail.write("etc/postfix/main.cf", f"""compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = {self.address}
myhostname = mx.postfix.lab.test
mydomain = postfix.lab.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.1/32
virtual_mailbox_domains = {listed}
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = texthash:/etc/postfix/boxes
virtual_uid_maps = static:{USERS["box"]}
virtual_gid_maps = static:{USERS["box"]}
virtual_mailbox_limit = 0
smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/refused, permit_mynetworks, reject_unauth_destination
message_size_limit = 80000000
smtpd_client_connection_count_limit = 0
smtpd_tls_chain_files = /etc/postfix/cert.pem
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_host_lookup = dns
smtp_tls_loglevel = 1
smtputf8_enable = yes
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
""")
        jail.write("etc/postfix/master.cf", f"""{self.address}:smtp inet n - n - 100 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
""")
        self.start("postfix", "/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix")


def unpacked(file, package):
    """A program of a package in the cache, which `./check` fills."""
    found = UNPACKED / file
    if not found.exists():
        raise unittest.SkipTest(f"{package} is not in {CACHE}; ./check --only packages fetches it")
    return found


class Exim(Other):

    def __init__(self, lab, domains):
        self.address = lab.address(32)
        binary = unpacked("usr/sbin/exim4", "Exim")
        self.jail = jail = lab.jail("exim")
        jail.program(binary)
        (jail.root / "usr/sbin/exim4").chmod(0o4755)
        jail.folder("var/spool/exim4", "Debian-exim", 0o750)
        jail.folder("var/log/exim4", "Debian-exim", 0o750)
        jail.folder("var/mail", "box")
        file, key = lab.certificate("mx.exim.lab.test")
        jail.write("etc/exim4/cert.pem", file.read_text())
        jail.write("etc/exim4/key.pem", key.read_text())
        os.chown(jail.root / "etc/exim4/key.pem", 0, USERS["Debian-exim"])
        (jail.root / "etc/exim4/key.pem").chmod(0o640)
        listed = " : ".join(domains)
        # Where Debian's Exim looks for its configuration by itself.
        jail.write("var/lib/exim4/config.autogenerated", rf"""
primary_hostname = mx.exim.lab.test
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
local_interfaces = {self.address}
daemon_smtp_ports = 25
pid_file_path = /run/exim.pid
disable_ipv6 = true
domainlist local_domains = {listed}
hostlist relay_from = 127.0.0.1
acl_smtp_rcpt = acl_rcpt
dns_dnssec_ok = 1
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = 80M
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
remote_max_parallel = 4
recipients_max = 1200
tls_advertise_hosts = *
tls_certificate = /etc/exim4/cert.pem
tls_privatekey = /etc/exim4/key.pem
log_selector = +tls_peerdn +tls_certificate_verified +dnssec +smtp_protocol_error
never_users = root
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
trusted_users = Debian-exim

begin acl
acl_rcpt:
  deny local_parts = nobody
       domains = +local_domains
       message = no such box
  accept domains = +local_domains
  accept hosts = +relay_from
  deny message = relaying refused

begin routers
local:
  driver = accept
  domains = +local_domains
  transport = maildir
remote:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = <; 0.0.0.0
  same_domain_copy_routing = yes
  self = fail
  dnssec_request_domains = *
  no_more

begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = /var/mail/box
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = box
  group = box
  mode = 0600
remote_smtp:
  driver = smtp
  interface = {self.address}
  hosts_try_dane = *
  dnssec_request_domains = *
  tls_verify_certificates = /etc/ssl/certs/ca-certificates.crt

begin retry
* * F,1h,5s

begin rewrite

begin authenticators
""")
        self.start("exim", "/usr/sbin/exim4", "-bdf", "-q5s")


class OpenSmtpd(Other):
    """Sends with TLS, and takes mail without: no key works with OpenSMTPD 6.8 and OpenSSL 3."""

    def __init__(self, lab, domains):
        self.address = lab.address(33)
        binary = unpacked("usr/sbin/smtpd", "OpenSMTPD")
        self.jail = jail = lab.jail("opensmtpd")
        for each in ("usr/sbin/smtpctl", "usr/libexec/opensmtpd/mail.maildir",
                     "usr/libexec/opensmtpd/encrypt"):
            jail.program(UNPACKED / each)
        jail.program(binary)
        jail.folder("var/lib/opensmtpd/empty")
        jail.folder("var/mail", "box")
        jail.folder("var/spool/smtpd", "root", 0o711)
        for each in ("queue", "purge", "corrupt", "temporary", "incoming"):
            jail.folder(f"var/spool/smtpd/{each}", "opensmtpq", 0o700, "root")
        jail.folder("var/spool/smtpd/offline", "root", 0o770, "opensmtpq")
        jail.write("etc/mailname", "mx.open.lab.test\n")
        jail.write("etc/boxes", "@ box\n")
        listed = ", ".join(f'"{each}"' for each in domains)
        refused = ", ".join(f'"nobody@{each}"' for each in domains)
        jail.write("etc/smtpd.conf", f"""
table boxes file:/etc/boxes
smtp max-message-size 80M
smtp limit max-mails 2000
smtp limit max-rcpt 2000
queue ttl 1h
listen on {self.address} port 25 hostname "mx.open.lab.test"
action "box" maildir "/var/mail/box" virtual <boxes>
action "out" relay helo "mx.open.lab.test" src {self.address}
match from any for rcpt-to {{ {refused} }} reject
match from any for domain {{ {listed} }} action "box"
match from local for any action "out"
match from src 127.0.0.1 for any action "out"
""", 0o640)
        self.start("opensmtpd", "/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf")
