"""Thunderbird without a screen, driven from inside by Marionette, Mozilla's remote control."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest

from longhand import PASSWORD, PATIENCE, Case, message, program

# No network but loopback, nothing that asks, no first-run pages.
PREFERENCES = {
    "app.donation.eoy.version.viewed": 999,
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "mail.chat.enabled": False,
    "mail.collect_email_address_outgoing": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.inappnotifications.enabled": False,
    "mailnews.auto_config.fetchFromISP.enabled": False,
    "mailnews.auto_config.guess.enabled": False,
    "mailnews.database.global.indexer.enabled": False,
    "mailnews.start_page.enabled": False,
    "marionette.port": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disableIPv6": True,
    "network.dns.native-is-localhost": True,
    # Whatever would go to the web in spite of the above ends at a port where nobody listens.
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.type": 1,
    "network.trr.mode": 5,
    "security.OCSP.enabled": 0,
    "services.settings.server": "data:,",
    "signon.rememberSignons": True,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
}

# What all scripts begin with. A listener for URLs that becomes a promise.
PRELUDE = """
const { MailServices } =
    ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
function finished(start) {
  return new Promise((resolve, reject) => start({
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, status) {
      status === 0 ? resolve() : reject(new Error("URL ended with 0x" + (status >>> 0).toString(16)));
    },
  }));
}
function copied(start) {
  return new Promise((resolve, reject) => start({
    QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return ""; },
    onStopCopy(status) {
      status === 0 ? resolve() : reject(new Error("copy ended with 0x" + (status >>> 0).toString(16)));
    },
  }));
}
async function until(question, what) {
  for (let i = 0; i < 300; i++) {
    const answer = question();
    if (answer) { return answer; }
    await new Promise(resolve => Services.tm.dispatchToMainThread(
        () => setTimeout(resolve, 100)));
  }
  throw new Error("never: " + what);
}
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const account = () => MailServices.accounts.accounts.find(
    each => ["imap", "pop3"].includes(each.incomingServer.type));
const headers = folder => [...folder.msgDatabase.enumerateMessages()];
const subjects = folder => headers(folder).map(each => each.mime2DecodedSubject).sort();
const header = (folder, subject) =>
    headers(folder).find(each => each.mime2DecodedSubject === subject);
"""

# Trusts that one certificate on that port, keeps the password, and makes the account.
ACCOUNT = """
const [type, address, password, port, submission, certificate] = arguments;
const x509 = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
    .constructX509FromBase64(certificate);
for (const each of [port, submission]) {
  Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
      .rememberValidityOverride("localhost", each, {}, x509, false);
}
for (const scheme of [type === "imap" ? "imap" : "mailbox", "smtp"]) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init(scheme + "://localhost", null, scheme + "://localhost", address, password, "", "");
  await Services.logins.addLoginAsync(login);
}
MailServices.accounts.createLocalMailAccount();
const incoming = MailServices.accounts.createIncomingServer(address, "localhost", type);
incoming.port = port;
incoming.socketType = Ci.nsMsgSocketType.alwaysSTARTTLS;
incoming.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
incoming.loginAtStartUp = false;
incoming.doBiff = false;
const outgoing = MailServices.outgoingServer.createServer("smtp")
    .QueryInterface(Ci.nsISmtpServer);
outgoing.hostname = "localhost";
outgoing.port = submission;
outgoing.username = address;
outgoing.socketType = Ci.nsMsgSocketType.alwaysSTARTTLS;
outgoing.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
const identity = MailServices.accounts.createIdentity();
identity.email = address;
identity.fullName = "Somebody";
identity.smtpServerKey = outgoing.key;
const made = MailServices.accounts.createAccount();
made.addIdentity(identity);
made.incomingServer = incoming;
MailServices.accounts.defaultAccount = made;
"""

# Finds INBOX and reads every message whole.
FETCH = """
const server = account().incomingServer;
server.performExpand(null);
const inbox = await until(
    () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox), "an INBOX");
inbox.QueryInterface(Ci.nsIMsgImapMailFolder);
// An update may end before Thunderbird has put into its database what the server sent.
for (let i = 0; i < 10 && headers(inbox).length < arguments[0]; i++) {
  await finished(listener => inbox.updateFolderWithListener(null, listener));
  await new Promise(resolve => setTimeout(resolve, 500));
}
const texts = {};
for (const each of headers(inbox)) {
  const uri = inbox.getUriForMsg(each);
  texts[each.mime2DecodedSubject] = await new Promise((resolve, reject) => {
    let all = "";
    MailServices.messageServiceFromURI(uri).streamMessage(uri, {
      QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
      onStartRequest() {},
      onDataAvailable(request, stream, offset, count) {
        const octets = Cc["@mozilla.org/binaryinputstream;1"]
            .createInstance(Ci.nsIBinaryInputStream);
        octets.setInputStream(stream);
        all += octets.readBytes(count);
      },
      onStopRequest(request, status) {
        status === 0 ? resolve(all) : reject(new Error("0x" + (status >>> 0).toString(16)));
      },
    }, null, null, false, "", false);
  });
}
return texts;
"""

INBOX = """
const inbox = account().incomingServer.rootFolder
    .getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox).QueryInterface(Ci.nsIMsgImapMailFolder);
"""

MARK = INBOX + """
inbox.markMessagesRead([header(inbox, "t0")], true);
inbox.markMessagesFlagged([header(inbox, "t1")], true);
inbox.addKeywordsToMessages([header(inbox, "t2")], "$label1");
await finished(listener => inbox.updateFolderWithListener(null, listener));
"""

MOVE = INBOX + """
const root = account().incomingServer.rootFolder;
root.createSubfolder("Reisen & Züge", null);
const target = await until(
    () => root.containsChildNamed("Reisen & Züge") && root.getChildNamed("Reisen & Züge"),
    "a new folder");
await copied(listener => MailServices.copy.copyMessages(
    inbox, [header(inbox, "t3")], target, true, listener, null, false));
"""

UPDATE = INBOX + """
await finished(listener => inbox.updateFolderWithListener(null, listener));
return Object.fromEntries(headers(inbox).map(each => [each.mime2DecodedSubject,
    [each.isRead, each.isFlagged]]));
"""

SEND = """
const [to, subject, body] = arguments;
const identity = account().identities[0];
identity.doFcc = true;
identity.fccFolderURI = account().incomingServer.rootFolder.URI + "/Sent";
const fields = Cc["@mozilla.org/messengercompose/composefields;1"]
    .createInstance(Ci.nsIMsgCompFields);
fields.from = identity.email;
fields.to = to;
fields.subject = subject;
const send = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
await new Promise((resolve, reject) => send.createAndSendMessage(
    null, identity, account().key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null,
    "text/plain", body, null, null, {
      QueryInterface:
          ChromeUtils.generateQI(["nsIMsgSendListener", "nsIMsgCopyServiceListener"]),
      onStartSending() {}, onSendProgress() {}, onStatus() {}, onGetDraftFolderURI() {},
      onSendNotPerformed() { reject(new Error("not sent")); },
      onTransportSecurityError(id, status, info, location) {
        reject(new Error("not secure: " + location));
      },
      onStopSending(id, status) {
        if (status !== 0) { reject(new Error("sending: 0x" + (status >>> 0).toString(16))); }
      },
      onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return ""; },
      onStopCopy(status) {
        status === 0 ? resolve() : reject(new Error("Sent: 0x" + (status >>> 0).toString(16)));
      },
    }, "", "", Ci.nsIMsgCompType.New).catch(reject));
"""

POP = """
const server = account().incomingServer.QueryInterface(Ci.nsIPop3IncomingServer);
server.leaveMessagesOnServer = arguments[0];
server.deferredToAccount = "";
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
await finished(listener => MailServices.pop3.GetNewMail(null, listener, inbox, server));
return subjects(inbox);
"""


class Thunderbird:
    """One running Thunderbird and the connection to it. It is gone after three minutes at most."""

    SECONDS_MAX = 180

    def __init__(self, folder, environment):
        self.profile = folder / "profile"
        self.profile.mkdir()
        (self.profile / "user.js").write_text("".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in PREFERENCES.items()))
        self.log = open(folder / "thunderbird.log", "wb")
        self.process = subprocess.Popen(
            ["timeout", "--signal=KILL", str(self.SECONDS_MAX), program("thunderbird"),
             "--headless", "--no-remote", "--profile", str(self.profile), "--marionette",
             "--remote-allow-system-access"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            env=dict(environment, MOZ_CRASHREPORTER_DISABLE="1", XDG_RUNTIME_DIR=str(folder)))
        self.number = 0
        self.socket = None
        try:
            self.connect()
        except BaseException:
            self.stop()
            raise

    def connect(self):
        end = time.time() + PATIENCE
        file = self.profile / "MarionetteActivePort"
        while not file.exists() or not file.read_text().strip():
            if self.process.poll() is not None or time.time() > end:
                raise AssertionError("Thunderbird does not start:\n" + self.logged())
            time.sleep(0.1)
        self.socket = socket.create_connection(
            ("127.0.0.1", int(file.read_text())), timeout=PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.read()  # who it is
        self.ask("WebDriver:NewSession", {})
        self.ask("WebDriver:SetTimeouts", {"script": PATIENCE * 1000})
        self.ask("Marionette:SetContext", {"value": "chrome"})

    def read(self):
        """A message is its length in octets, a colon, JSON."""
        digits = b""
        while (octet := self.stream.read(1)) != b":":
            if not octet.isdigit():
                raise AssertionError("Thunderbird is gone:\n" + self.logged())
            digits += octet
        return json.loads(self.stream.read(int(digits)))

    def ask(self, command, parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.read()
        if error:
            raise AssertionError(f"{command}: {error}\n{self.logged()}")
        return result

    def do(self, script, *arguments):
        """Runs a script as Thunderbird's own; gives what it returns."""
        return self.ask("WebDriver:ExecuteScript", {
            "script": PRELUDE + "return (async function () {" + script + "}).apply(null, arguments);",
            "args": list(arguments), "sandbox": "system", "newSandbox": True})["value"]

    def logged(self):
        with open(self.log.name, errors="replace") as file:
            lines = [line for line in file if line.strip()
                     and "Gtk-" not in line and "glib warning" not in line]
        return "".join(lines)[-4000:]

    def stop(self):
        """Ends all of its processes."""
        if self.socket:
            try:
                self.socket.settimeout(10)
                self.ask("Marionette:Quit", {"flags": ["eForceQuit"]})
                self.process.wait(10)
            except (AssertionError, OSError, subprocess.TimeoutExpired):
                pass  # killed below
            self.socket.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()


class Thunderbirds(Case):

    others = ["other"]

    def start(self, protocol):
        thunderbird = Thunderbird(self.folder, self.environment)
        self.addCleanup(thunderbird.stop)
        pem = self.server.certificate.read_text()
        certificate = pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
        thunderbird.do(ACCOUNT, protocol, self.address, PASSWORD, self.server.ports[
            "imap" if protocol == "imap" else "pop3"], self.server.ports["submission"],
            "".join(certificate.split()))
        return thunderbird

    def test_thunderbird_over_imap(self):
        program("thunderbird")
        self.server.put(self.account, *[message(f"t{i}", f"Text {i}\r\n.\r\nend\r\n") for i in range(5)])
        stored = self.server.bodies(self.account)
        thunderbird = self.start("imap")
        # All there, line for line what the server has; what Thunderbird adds of its own is left out.
        fetched = thunderbird.do(FETCH, 5)
        self.assertEqual([f"t{i}" for i in range(5)], sorted(fetched))
        for i in range(5):
            lines = [line for line in fetched[f"t{i}"].splitlines() if not line.startswith("X-Mozilla-")]
            self.assertEqual(stored[i].decode("latin-1").splitlines(), lines)
        # Its marks arrive, here and in the document.
        thunderbird.do(MARK)
        marks = {"t0": {"\\Seen"}, "t1": {"\\Flagged"}, "t2": {"$label1"}, "t3": set(), "t4": set()}
        self.assertTrue(
            self.server.eventually(lambda: self.server.flags(self.account) == marks),
            self.server.flags(self.account))
        expected = [("t0", "R"), ("t1", "F"), ("t2", ""), ("t3", ""), ("t4", "")]

        def settled():
            return [(subject, flags.replace("O", "").strip())
                    for subject, flags in self.server.read_document(self.account)] == expected

        self.assertTrue(
            self.server.eventually(settled), self.server.read_document(self.account))
        # Moved into a mailbox of its own making.
        thunderbird.do(MOVE)
        self.assertEqual(
            ["t0", "t1", "t2", "t4"], self.server.subjects(self.account))
        self.assertEqual(["t3"], self.server.subjects(self.account, '"Reisen &- Z&APw-ge"'))
        # And what others do arrives there.
        with self.server.imap(self.account) as session:
            session.select()
            session.store("4", "+FLAGS", r"(\Seen \Flagged)")
        self.server.put(self.account, message("t5"))
        seen = thunderbird.do(UPDATE)
        self.assertEqual([True, True], seen["t4"])
        self.assertEqual([False, False], seen["t5"])
        self.assertEqual(["t0", "t1", "t2", "t4", "t5"], sorted(seen))

    def test_thunderbird_sends(self):
        program("thunderbird")
        thunderbird = self.start("imap")
        thunderbird.do(FETCH, 5)
        thunderbird.do(SEND, self.server.address("other"), "von Jürgen", "Grüße\r\n.\r\nFrom me\r\n")
        got = self.server.bodies("other")
        self.assertEqual(1, len(got))
        got = got[0].decode()
        self.assertIn(f"Return-Path: <{self.address}>", got)
        self.assertIn("Grüße\r\n.\r\nFrom me\r\n", got)
        self.assertIn("ESMTPSA", got)
        # Its own copy, by APPEND.
        self.assertEqual(1, self.server.count(self.account, "Sent"))
        self.assertEqual({"\\Seen"}, set().union(*self.server.flags(self.account, "Sent").values()))

    def test_thunderbird_over_pop(self):
        program("thunderbird")
        self.server.put(self.account, message("p0"), message("p1"))
        thunderbird = self.start("pop3")
        self.assertEqual(["p0", "p1"], thunderbird.do(POP, True))
        self.assertEqual(2, self.server.count(self.account))
        # Only what is new, by UIDL; and then nothing is left.
        self.server.put(self.account, message("p2"))
        self.assertEqual(["p0", "p1", "p2"], thunderbird.do(POP, True))
        self.server.put(self.account, message("p3"))
        self.assertEqual(["p0", "p1", "p2", "p3"], thunderbird.do(POP, False))
        self.assertTrue(self.server.eventually(lambda: self.server.count(self.account) == 0))


if __name__ == "__main__":
    unittest.main()
