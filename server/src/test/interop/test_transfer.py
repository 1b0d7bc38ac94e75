"""Exports read, and imports written, by Python's mailbox module, beside a running server."""

import mailbox
import unittest

from longhand import ROOT, Case, message, run


class Transfer(Case):

    def tool(self, *arguments):
        return run(ROOT / "longhand", *arguments, "--config", self.server.config)

    def test_exports(self):
        self.server.put(
            self.account, message("e0", "From here\r\n>From there\r\n"), message("e1"))
        with self.server.imap(self.account) as session:
            session.select()
            session.store("2", "+FLAGS", r"(\Seen \Flagged travel)")
        for form, box, seen in [("mbox", lambda path: mailbox.mbox(path / "INBOX.mbox"), "FRO"),
                                ("maildir", mailbox.Maildir, "FSa")]:
            path = self.folder / form
            self.tool("export", self.address, "--format", form, "--output", path)
            found = {each["Subject"]: each for each in box(path)}
            self.assertEqual({"e0", "e1"}, set(found), form)
            self.assertEqual(sorted(seen), sorted(found["e1"].get_flags()), form)
            text = found["e0"].get_payload()
            quote = ">" if form == "mbox" else ""  # Python takes no quotes off
            self.assertEqual(f"{quote}From here\n{quote}>From there\n", text, form)

    def test_imports(self):
        mbox = mailbox.mbox(self.folder / "written")
        maildir = mailbox.Maildir(self.folder / "Maildir", create=True)
        for name, box, kind in [("b", mbox, mailbox.mboxMessage),
                                ("d", maildir, mailbox.MaildirMessage)]:
            for i in range(3):
                each = kind(message(f"{name}{i}", "From me\r\nx\r\n").replace(b"\r\n", b"\n"))
                if i == 1:
                    each.set_flags("RF" if box is mbox else "SF")
                    if box is maildir:
                        each.set_subdir("cur")
                box.add(each)
            box.flush()
        self.tool("import", self.address, self.folder / "written")
        self.tool("import", self.address, self.folder / "Maildir")
        done = self.tool("import", self.address, self.folder / "Maildir")
        self.assertIn(b"0 messages imported", done.stdout)
        marked = {"\\Seen", "\\Flagged"}
        self.assertEqual(
            {f"{name}{i}": marked if i == 1 else set() for name in "bd" for i in range(3)},
            self.server.flags(self.account))
        for body in self.server.bodies(self.account):
            self.assertTrue(body.endswith(b"\r\n\r\nFrom me\r\nx\r\n"), body)


if __name__ == "__main__":
    unittest.main()
