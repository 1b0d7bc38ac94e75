"""Programs that send: swaks, curl, smtp-source, msmtp."""

import unittest

from longhand import PASSWORD, Case, message, program, run


class Senders(Case):

    def test_swaks(self):
        swaks = program("swaks")
        for number, (port, tls, mechanism) in enumerate([
                ("submission", ["--tls"], "PLAIN"), ("submission", ["--tls"], "LOGIN"),
                ("submissions", ["--tls-on-connect"], "PLAIN")]):
            run(swaks, "--server", "127.0.0.1", "--port", self.server.ports[port], *tls,
                "--auth", mechanism, "--auth-user", self.address, "--auth-password", PASSWORD,
                "--from", self.address, "--to", self.address,
                "--header", f"Subject: swaks {number}", "--silent", "2")
        run(swaks, "--server", "127.0.0.1", "--port", self.server.ports["smtp"], "--pipeline",
            "--from", "a@elsewhere.test", "--to", f"{self.account}+sub@EXAMPLE.test",
            "--header", "Subject: swaks 3", "--silent", "2")
        self.assertEqual([f"swaks {i}" for i in range(4)], self.server.subjects(self.account))
        for refused in (["--to", "nobody@example.test"], ["--to", "a@elsewhere.test"],
                        ["--to", self.address, "--auth-password", "wrong", "--auth", "PLAIN",
                         "--auth-user", self.address, "--tls"]):
            done = run(swaks, "--server", "127.0.0.1", "--port",
                       self.server.ports["submission" if "--auth" in refused else "smtp"],
                       "--from", "b@elsewhere.test", *refused, "--silent", "2", check=False)
            self.assertNotEqual(0, done.returncode, refused)
        self.assertEqual(4, self.server.count(self.account))

    def test_swaks_speaks_for_another(self):
        swaks = program("swaks")
        said = ["--from", "a@elsewhere.test", "--to", self.address, "--silent", "2",
                "--xclient-addr", "192.0.2.77", "--xclient-name", "client.elsewhere.test",
                "--xclient-helo", "its.own.name", "--server", "127.0.0.1", "--port"]
        run(swaks, *said, self.server.ports["proxied"])
        self.assertIn(b"Received: from its.own.name (client.elsewhere.test [192.0.2.77])",
                      self.server.bodies(self.account)[0])
        done = run(swaks, *said, self.server.ports["smtp"], check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertEqual(1, self.server.count(self.account))

    def test_curl(self):
        curl = program("curl")
        sent = message("by curl", "8-bit: grüß\r\n.\r\nend\r\n", sender=self.address)
        file = self.folder / "message"
        file.write_bytes(sent)
        run(curl, "--silent", "--show-error", "--cacert", self.server.certificate,
            f"smtps://localhost:{self.server.ports['submissions']}/client.test",
            "--user", f"{self.address}:{PASSWORD}", "--mail-from", self.address,
            "--mail-rcpt", self.address, "--upload-file", file)
        stored = self.server.bodies(self.account)
        self.assertEqual(1, len(stored))
        self.assertTrue(stored[0].endswith(sent))
        for url in (f"imaps://localhost:{self.server.ports['imaps']}/INBOX;UID=1",
                    f"pop3s://localhost:{self.server.ports['pop3s']}/1"):
            done = run(curl, "--silent", "--show-error", "--cacert", self.server.certificate,
                       "--user", f"{self.address}:{PASSWORD}", url)
            self.assertEqual(stored[0], done.stdout, url)
        done = run(curl, "--silent", "--show-error", "--ssl-reqd", "--cacert",
                   self.server.certificate, "--user", f"{self.address}:{PASSWORD}",
                   f"imap://localhost:{self.server.ports['imap']}", "-X", "STATUS INBOX (MESSAGES)")
        self.assertIn(b"MESSAGES 1", done.stdout)

    def test_smtp_source(self):
        source = program("smtp-source")
        run(source, "-m", "300", "-s", "10", "-l", "5000", "-f", "a@elsewhere.test",
            "-t", self.address, f"127.0.0.1:{self.server.ports['smtp']}")
        self.assertEqual(300, self.server.count(self.account))
        self.assertEqual(300, len(self.server.read_document(self.account)))
        bodies = self.server.bodies(self.account)
        self.assertEqual(300, len(set(bodies)))

    def test_msmtp(self):
        msmtp = program("msmtp")
        config = self.write("msmtprc", f"""
account default
host localhost
port {self.server.ports['submission']}
tls on
tls_starttls on
tls_trust_file {self.server.certificate}
auth on
user {self.address}
password "{PASSWORD}"
from {self.address}
""")
        run(msmtp, "-C", config, self.address, env=self.environment,
            input=message("by msmtp", sender=self.address).replace(b"\r\n", b"\n"))
        methods = run(msmtp, "--version").stdout.decode()
        expected = ["by msmtp"]
        if "scram-sha-256" in methods:
            config.write_text(config.read_text().replace("auth on", "auth scram-sha-256"))
            run(msmtp, "-C", config, self.address, env=self.environment,
                input=message("by scram", sender=self.address).replace(b"\r\n", b"\n"))
            expected.append("by scram")
        self.assertEqual(expected, self.server.subjects(self.account))


if __name__ == "__main__":
    unittest.main()
