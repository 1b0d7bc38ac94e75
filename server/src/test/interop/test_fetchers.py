"""Programs that fetch and synchronise: mbsync, offlineimap, fetchmail, getmail."""

import mailbox
import os
import pathlib
import shutil
import tempfile
import unittest

from longhand import PASSWORD, Case, message, program, run


def maildir_subjects(folder):
    box = mailbox.Maildir(folder, create=False)
    return sorted(each["Subject"] for each in box)


def rename(folder, subject, flags):
    """Marks a message in a Maildir as mail programs do: by its name."""
    for file in list((folder / "cur").iterdir()) + list((folder / "new").iterdir()):
        if f"Subject: {subject}".encode() in file.read_bytes():
            base = file.name.split(":2,")[0]
            file.rename(folder / "cur" / f"{base}:2,{flags}")
            return
    raise AssertionError(f"no {subject} in {folder}")


def remove(folder, subject):
    box = mailbox.Maildir(folder, create=False)
    for key, each in list(box.items()):
        if each["Subject"] == subject:
            box.remove(key)


class Fetchers(Case):

    def test_mbsync(self):
        mbsync = program("mbsync")
        mail = self.folder / "mail"
        mail.mkdir()
        config = self.write("mbsyncrc", f"""
IMAPAccount server
Host localhost
Port {self.server.ports['imap']}
User {self.address}
Pass "{PASSWORD}"
SSLType STARTTLS
CertificateFile {self.server.certificate}

IMAPStore far
Account server

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
        self.server.put(self.account, *[message(f"m{i}") for i in range(4)])
        run(mbsync, "-c", config, "-a", env=self.environment)
        self.assertEqual(["m0", "m1", "m2", "m3"], maildir_subjects(mail / "INBOX"))
        # Changes on both sides at once.
        rename(mail / "INBOX", "m0", "FS")
        rename(mail / "INBOX", "m1", "T")
        mailbox.Maildir(mail / "INBOX").add(message("from here").replace(b"\r\n", b"\n"))
        travel = mailbox.Maildir(mail / "Travel", create=True)
        travel.add(message("a ticket").replace(b"\r\n", b"\n"))
        with self.server.imap(self.account) as session:
            session.select()
            session.store("3", "+FLAGS", r"(\Answered)")
            session.store("4", "+FLAGS", r"(\Deleted)")
            session.expunge()
        self.server.put(self.account, message("m4"))
        run(mbsync, "-c", config, "-a", env=self.environment)
        self.assertEqual(
            {"m0": {"\\Seen", "\\Flagged"}, "m2": {"\\Answered"}, "m4": set(), "from here": set()},
            self.server.flags(self.account))
        self.assertEqual(["a ticket"], self.server.subjects(self.account, "Travel"))
        self.assertEqual(["from here", "m0", "m2", "m4"], maildir_subjects(mail / "INBOX"))
        # And once more there is nothing to do.
        before = self.server.bodies(self.account)
        run(mbsync, "-c", config, "-a", env=self.environment)
        self.assertEqual(before, self.server.bodies(self.account))

    def test_offlineimap(self):
        offlineimap = program("offlineimap")
        mail = self.folder / "mail"
        config = self.write("offlineimaprc", f"""
[general]
accounts = main
metadata = {self.folder}/state
[Account main]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {mail}
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {self.server.ports['imaps']}
remoteuser = {self.address}
remotepass = {PASSWORD}
ssl = yes
sslcacertfile = {self.server.certificate}
""")
        self.server.put(self.account, message("o0"), message("o1"))
        run(offlineimap, "-c", config, "-o", "-u", "basic", env=self.environment)
        self.assertEqual(["o0", "o1"], maildir_subjects(mail / "INBOX"))
        rename(mail / "INBOX", "o0", "S")
        remove(mail / "INBOX", "o1")
        mailbox.Maildir(mail / "INBOX").add(message("from here").replace(b"\r\n", b"\n"))
        self.server.put(self.account, message("o2"))
        run(offlineimap, "-c", config, "-o", "-u", "basic", env=self.environment)
        self.assertEqual(
            {"o0": {"\\Seen"}, "o2": set(), "from here": set()}, self.server.flags(self.account))
        self.assertTrue(
            {"from here", "o0", "o2"} <= set(maildir_subjects(mail / "INBOX")))

    def fetchmail(self, protocol, port, *options):
        program("fetchmail")
        target = self.folder / "fetched"
        config = self.write("fetchmailrc", f"""
poll localhost protocol {protocol} port {self.server.ports[port]} {'uidl' if 'keep' in options and protocol == 'pop3' else ''}
  user "{self.address}" password "{PASSWORD}"
  ssl sslcertck sslcertfile "{self.server.certificate}" sslcommonname "localhost"
  mda "cat >> {target}; echo >> {target}" {' '.join(options)}
""")
        done = run(program("fetchmail"), "-f", config, "--pidfile", self.folder / "pid", "-i",
                   self.folder / "ids", env=self.environment, check=False)
        self.assertIn(done.returncode, (0, 1), done.stdout)
        return target.read_text().count("Subject: f") if target.exists() else 0

    def test_fetchmail_keeps(self):
        self.server.put(self.account, message("f0"), message("f1"))
        self.assertEqual(2, self.fetchmail("pop3", "pop3s", "keep"))
        self.assertEqual(2, self.server.count(self.account))
        self.server.put(self.account, message("f2"))
        self.assertEqual(3, self.fetchmail("pop3", "pop3s", "keep"))
        self.assertEqual(3, self.server.count(self.account))

    def test_fetchmail_deletes(self):
        self.server.put(self.account, message("f0"), message("f1"))
        self.assertEqual(2, self.fetchmail("pop3", "pop3s", "nokeep"))
        self.assertEqual(0, self.server.count(self.account))

    def test_fetchmail_imap(self):
        self.server.put(self.account, message("f0"), message("f1"))
        self.assertEqual(2, self.fetchmail("imap", "imaps", "nokeep"))
        self.assertEqual(0, self.server.count(self.account))

    @property
    def outside(self):
        folder = pathlib.Path(tempfile.gettempdir()) / f"{self.server.home.name}-{self.account}"
        if not folder.exists():
            folder.mkdir(0o700)
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def getmail(self, delete):
        getmail = program("getmail")
        # getmail delivers nothing as root: then it takes on another user, who needs a way in.
        mail = self.outside / "mail"
        mailbox.Maildir(mail, create=True)
        user = ""
        if os.getuid() == 0:
            user = "user = nobody"
            for each in (self.outside, mail, mail / "new", mail / "cur", mail / "tmp"):
                shutil.chown(each, "nobody")
        self.write("getmailrc", f"""
[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = {self.server.ports['pop3s']}
username = {self.address}
password = {PASSWORD}
ca_certs = {self.server.certificate}
[destination]
type = Maildir
path = {mail}/
{user}
[options]
delete = {delete}
read_all = false
""")
        run(getmail, "--getmaildir", self.folder, "--rcfile", "getmailrc", env=self.environment)
        return maildir_subjects(mail)

    def test_getmail_keeps(self):
        self.server.put(self.account, message("g0"), message("g1"))
        self.assertEqual(["g0", "g1"], self.getmail("false"))
        self.server.put(self.account, message("g2"))
        self.assertEqual(["g0", "g1", "g2"], self.getmail("false"))
        self.assertEqual(3, self.server.count(self.account))

    def test_getmail_deletes(self):
        self.server.put(self.account, message("g0"), message("g1"))
        self.assertEqual(["g0", "g1"], self.getmail("true"))
        self.assertEqual(0, self.server.count(self.account))


if __name__ == "__main__":
    unittest.main()
