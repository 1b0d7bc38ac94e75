"""Python's own clients: smtplib, imaplib, poplib, mailbox."""

import imaplib
import mailbox
import poplib
import smtplib
import time
import unittest

from longhand import PASSWORD, Case, message

# Text that looks like our format, or like the start of another message.
HOSTILE = (
    "Status: RO\r\nX-Status: D\r\nX-UID: 4294967294\r\nContent-Length: 5\r\nX-IMAP: 1 2\r\n"
    "X-Longhand: 1 2 3\r\nX-Keywords: NonJunk\r\n")


class Python(Case):

    def test_sent_and_read_by_every_protocol(self):
        sent = message(
            "first", "From the start\r\n.\r\n..dots\r\n>From quoted\r\nend\r\n", self.address)
        with smtplib.SMTP("127.0.0.1", self.server.ports["submission"]) as session:
            session.starttls(context=self.server.tls())
            session.login(self.address, PASSWORD)
            refused = session.sendmail(self.address, [self.address], sent)
            self.assertEqual({}, refused)
        with smtplib.SMTP_SSL(
                "localhost", self.server.ports["submissions"],
                context=self.server.tls()) as session:
            session.login(self.address, PASSWORD)
            session.sendmail(self.address, [self.address], sent.replace(b"first", b"second"))
        bodies = self.server.bodies(self.account)
        self.assertEqual(2, len(bodies))
        self.assertTrue(bodies[0].endswith(sent.split(b"\r\n\r\n", 1)[1]))
        session = poplib.POP3_SSL("localhost", self.server.ports["pop3s"], context=self.server.tls())
        session.user(self.address)
        session.pass_(PASSWORD)
        self.assertEqual(2, session.stat()[0])
        for number, body in enumerate(bodies, 1):
            lines = session.retr(number)[1]
            self.assertEqual(body, b"\r\n".join(lines) + b"\r\n")
        session.quit()
        self.assertEqual(
            ["first", "second"], [subject for subject, _ in self.server.read_document(self.account)])

    def test_forged_fields_change_nothing(self):
        forged = message("forged").replace(b"\r\n\r\n", b"\r\n" + HOSTILE.encode() + b"\r\n", 1)
        self.server.put(self.account, forged, message("after"))
        self.assertTrue(self.server.bodies(self.account)[0].endswith(forged))
        self.assertEqual({"forged": set(), "after": set()}, self.server.flags(self.account))
        seen = self.server.read_document(self.account)
        self.assertEqual(["forged", "after"], [subject for subject, _ in seen])
        self.assertNotIn("D", seen[0][1])
        self.assertNotIn("R", seen[0][1])

    def test_marks_are_in_the_document(self):
        self.server.put(self.account, message("one"), message("two"), message("three"))
        with self.server.imap(self.account) as session:
            session.select()
            session.store("1", "+FLAGS", r"(\Seen \Flagged)")
            session.store("2", "+FLAGS", r"(\Answered \Deleted)")
        expected = {"one": set("RF"), "two": set("AD"), "three": set()}

        def settled():
            seen = {s: set(f) - set("O ") for s, f in self.server.read_document(self.account)}
            return seen == expected

        self.assertTrue(
            self.server.eventually(settled), self.server.read_document(self.account))

    def test_marks_made_outside_are_taken_over(self):
        self.server.put(self.account, message("one"), message("two"))
        self.assertEqual(2, self.server.count(self.account))
        time.sleep(6)
        box = mailbox.mbox(self.server.document(self.account), create=False)
        box.lock()
        try:
            for key, each in list(box.iteritems()):
                if each["Subject"] == "two":
                    each.add_flag("F")
                    box[key] = each
            box.flush()
        finally:
            box.unlock()
            box.close()
        self.assertTrue(self.server.eventually(
            lambda: self.server.flags(self.account) == {"one": set(), "two": {"\\Flagged"}}),
            self.server.flags(self.account))

    def test_appended_by_cat_shows_up_in_idle(self):
        self.server.put(self.account, message("before"))
        session = self.server.imap(self.account)
        session.select()
        tag = session._new_tag()
        session.send(tag + b" IDLE\r\n")
        self.assertTrue(session.readline().startswith(b"+"))
        new = message("from outside").replace(b"\r\n", b"\n")
        with open(self.server.document(self.account), "ab") as file:
            file.write(b"From outside@elsewhere.test Mon Nov 23 04:00:00 2026\n" + new + b"\n")
        session.sock.settimeout(20)
        line = session.readline()
        while b"EXISTS" not in line:
            line = session.readline()
        self.assertEqual(b"* 2 EXISTS\r\n", line)
        session.send(b"DONE\r\n")
        while not session.readline().startswith(tag):
            pass
        session.logout()
        self.assertEqual(["before", "from outside"], self.server.subjects(self.account))

    def test_mailboxes_by_imaplib(self):
        with self.server.imap(self.account) as session:
            self.assertEqual("OK", session.create("Travel")[0])
            self.assertEqual("OK", session.append(
                "Travel", r"(\Seen)", imaplib.Time2Internaldate(1_790_000_000), message("ticket"))[0])
            self.assertEqual("OK", session.select("Travel")[0])
            self.assertEqual(b"1", session.search(None, "SUBJECT", "ticket")[1][0])
            self.assertEqual("OK", session.copy("1", "INBOX")[0])
            session.store("1", "+FLAGS", r"(\Deleted)")
            self.assertEqual([b"1"], session.expunge()[1])
            self.assertEqual("OK", session.rename("Travel", "Journeys")[0])
        self.assertEqual({"ticket": {"\\Seen"}}, self.server.flags(self.account))
        self.assertEqual(0, self.server.count(self.account, "Journeys"))

    def test_deleted_by_pop(self):
        self.server.put(self.account, *[message(f"message {i}") for i in range(5)])
        session = poplib.POP3("127.0.0.1", self.server.ports["pop3"])
        session.stls(context=self.server.tls())
        session.user(self.address)
        session.pass_(PASSWORD)
        session.dele(2)
        session.dele(4)
        session.quit()
        self.assertEqual(
            ["message 0", "message 2", "message 4"], self.server.subjects(self.account))

    def test_wrong_passwords_are_refused(self):
        with self.assertRaises(imaplib.IMAP4.error):
            imaplib.IMAP4("127.0.0.1", self.server.ports["imap"]).login(self.address, "x")
        session = poplib.POP3("127.0.0.1", self.server.ports["pop3"])
        session.user(self.address)
        with self.assertRaises(poplib.error_proto):
            session.pass_("x")
        with smtplib.SMTP("127.0.0.1", self.server.ports["submission"]) as session:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                session.login(self.address, "x")
        self.assertEqual(0, self.server.count(self.account))


if __name__ == "__main__":
    unittest.main()
