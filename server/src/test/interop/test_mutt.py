"""mutt, which reads the account's document as any mbox, and the server over IMAP."""

import os
import pty
import select
import signal
import subprocess
import time
import unittest

from longhand import PASSWORD, PATIENCE, Case, message, program


class Mutt(Case):

    def mutt(self, *arguments):
        """Runs mutt at a terminal of its own to its end."""
        config = self.write("muttrc", f"""
set folder={self.folder} record= postponed= header_cache=
set quit=yes confirmappend=no
set delete=yes mark_old=no ssl_starttls=yes certificate_file={self.server.certificate}
set imap_pass="{PASSWORD}" imap_check_subscribed=no wait_key=no pipe_split=no sleep_time=0
set ssl_verify_host=no
""")
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [program("mutt"), "-n", "-F", str(config), *map(str, arguments)], stdin=follower,
            stdout=follower, stderr=follower, start_new_session=True,
            env=dict(self.environment, TERM="xterm", COLUMNS="120", LINES="40"))
        os.close(follower)
        shown = b""
        end = time.time() + PATIENCE
        try:
            while time.time() < end:
                ready, _, _ = select.select([leader], [], [], 0.2)
                if ready:
                    try:
                        shown += os.read(leader, 65536)
                    except OSError:
                        break
                elif process.poll() is not None:
                    break
            process.wait(max(0.1, end - time.time()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise AssertionError(f"mutt does not end: {shown[-2000:]!r}")
        finally:
            os.close(leader)
        return shown

    def piped(self, pattern, *arguments):
        """The subjects of the messages that match, as mutt sees them."""
        target = self.folder / "piped"
        target.unlink(missing_ok=True)
        self.mutt(*arguments, "-e",
                  f"push '<tag-pattern>{pattern}<enter><tag-prefix-cond><pipe-message>"
                  f"cat > {target}<enter><end-cond><quit>'")
        text = target.read_text(errors="replace") if target.exists() else ""
        return [line[9:] for line in text.splitlines()
                if line.startswith("Subject: ") and "FOLDER INTERNAL DATA" not in line]

    def test_mutt_reads_the_document(self):
        forged = message("m1").replace(b"\r\n\r\n", b"\r\nX-Status: DF\r\nStatus: RO\r\n\r\n", 1)
        self.server.put(
            self.account, message("m0", "From here\r\n>From there\r\n"), forged, message("m2"))
        with self.server.imap(self.account) as session:
            session.select()
            session.store("1", "+FLAGS", r"(\Seen)")
            session.store("3", "+FLAGS", r"(\Flagged)")
        document = self.server.document(self.account)
        self.assertEqual(["m0", "m1", "m2"], self.piped("~A", "-R", "-f", document))
        self.assertTrue(self.server.eventually(
            lambda: self.piped("~F", "-R", "-f", document) == ["m2"]))
        self.assertEqual(["m0"], self.piped("~R", "-R", "-f", document))
        self.assertEqual([], self.piped("~D", "-R", "-f", document))

    def test_mutt_changes_the_document(self):
        self.server.put(self.account, message("m0"), message("m1"), message("m2"))
        self.assertEqual(3, self.server.count(self.account))
        time.sleep(6)
        document = self.server.document(self.account)
        self.mutt("-f", document, "-e",
                  "push '<tag-pattern>~s m0<enter><tag-prefix><flag-message>"
                  "<untag-pattern>~A<enter><tag-pattern>~s m1<enter><tag-prefix><delete-message>"
                  "<sync-mailbox><quit>'")
        self.assertTrue(self.server.eventually(
            lambda: self.server.subjects(self.account) == ["m0", "m2"]),
            self.server.subjects(self.account))
        self.assertIn("\\Flagged", self.server.flags(self.account)["m0"])

    def test_mutt_over_imap(self):
        self.server.put(self.account, message("m0"), message("m1"))
        url = f"imap://{self.address.replace('@', '%40')}@localhost:{self.server.ports['imap']}/INBOX"
        self.assertEqual(["m0", "m1"], self.piped("~A", "-f", url))
        self.mutt("-f", url, "-e",
                  "push '<tag-pattern>~s m1<enter><tag-prefix><delete-message><sync-mailbox><quit>'")
        self.assertEqual(["m0"], self.server.subjects(self.account))


if __name__ == "__main__":
    unittest.main()
