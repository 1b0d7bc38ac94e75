"""Mail between Longhand and Postfix, Exim, OpenSMTPD and servers made for a test, both ways.

The names are looked up in DNS, and TLS is what DNS and MTA-STS ask for. See lab.py.
"""

import email
import re
import unittest

import lab
from lab import Lab, letter, parts_of_report, sleep_until
from peer import ALL, Peer

ANA = "ana@a.lab.test"
BOB = "bob@b.lab.test"
BIG = "big@b.lab.test"
UTF8 = "grüße@b.lab.test"
ONWARD = "onward@b.lab.test"
TURNING = "ana@turning.test"
MINIMAL = ("PIPELINING", "ENHANCEDSTATUSCODES")


def subject(case):
    return case.id().rsplit(".", 1)[-1].replace("_", "-")


class Internet(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.lab = net = Lab()
        try:
            cls.start(net)
        except BaseException:
            net.stop()
            raise

    @classmethod
    def start(cls, net):
        mx_a = net.certificate("mx.a.lab.test")
        mx_b = net.certificate("mx.b.lab.test", "mx.b.plain.test")
        others = {"postfix": 31, "exim": 32, "open": 33}
        good = net.certificate("mx.danegood.lab.test", own=True)
        signed = [f"mx.a IN A {net.address(21)}", "a IN MX 10 mx.a",
                  f"_25._tcp.mx.a IN TLSA {net.tlsa(mx_a)}",
                  f"mx.b IN A {net.address(22)}", "b IN MX 10 mx.b",
                  f"_25._tcp.mx.b IN TLSA {net.tlsa(mx_b)}",
                  "nullmx IN MX 0 ."]
        for number, (name, last) in enumerate(others.items(), 1):
            signed += [f"{name} IN MX 10 mx.{name}", f"mx.{name} IN A {net.address(last)}",
                       f"m{number} IN MX 10 mx.{name}"]
            if name != "open":
                record = net.tlsa(net.certificate(f"mx.{name}.lab.test"))
                signed.append(f"_25._tcp.mx.{name} IN TLSA {record}")
        peers = {"danegood": 41, "danebad": 42, "danenone": 43, "requires": 52}
        for name, last in peers.items():
            signed += [f"{name} IN MX 10 mx.{name}", f"mx.{name} IN A {net.address(last)}",
                       f"_25._tcp.mx.{name} IN TLSA {net.tlsa(good)}"]
        plain = [f"b IN MX 10 mx.b\nmx.b IN A {net.address(22)}"]
        for name, last in {"self": 44, "old": 45, "sts": 46, "stsbad": 47, "ststry": 48,
                           "dead": 49, "later": 50, "notls": 51}.items():
            plain += [f"{name} IN MX 10 mx.{name}", f"mx.{name} IN A {net.address(last)}"]
        plain += ["stsother IN MX 10 mx.sts", "m4 IN MX 10 mx.self"]
        for name in ("b", "sts", "stsbad", "ststry", "stsother"):
            plain += [f'_mta-sts.{name} IN TXT "v=STSv1; id=1;"',
                      f"mta-sts.{name} IN A {net.address(11)}"]
        # Of the zone that turns, the first record names another's certificate.
        cls.turning = (f"@ IN MX 10 mx\nmx IN A {net.address(21)}\n"
                       "_25._tcp.mx IN TLSA {}\n")
        cls.right = net.tlsa(mx_a)
        cls.names = net.names("\n".join(signed) + "\n", "\n".join(plain) + "\n",
                              cls.turning.format(net.tlsa(mx_b)))
        hosts = [f"mta-sts.{name}.plain.test" for name in ("b", "sts", "stsbad", "ststry", "stsother")]
        cls.policies = net.stopping(lab.Policies(net.address(11), net.tls(*hosts)))
        for host, mode, mx in zip(hosts, ("enforce", "enforce", "enforce", "testing", "enforce"),
                                  ("mx.b.plain.test", "mx.sts.plain.test", "*.stsbad.plain.test",
                                   "mx.ststry.plain.test", "mx.another.plain.test")):
            cls.policies.texts[host] = lab.POLICY.format(mode=mode, mx=mx)
        # The first Longhand validates itself, the other one believes unbound.
        cls.a = lab.Longhand(net, 21, "mx.a.lab.test", ["a.lab.test", "turning.test"],
                             [ANA, "load@a.lab.test", TURNING], net.own_dns(), mx_a)
        cls.b = lab.Longhand(net, 22, "mx.b.lab.test", ["b.lab.test", "b.plain.test"],
                             [BOB, BIG, UTF8, ONWARD, "bob@b.plain.test"], net.unbound_dns(), mx_b)
        for each in (cls.a, cls.b):
            net.stopping(each)
            each.start()
        for each in (cls.a, cls.b):
            each.ready()
        cls.peers = {}
        for name, last, tls, extensions in (
                ("danegood.lab", 41, net.tls("mx.danegood.lab.test", own=True), ALL),
                ("danebad.lab", 42, net.tls("mx.danebad.lab.test", own=True), ALL),
                ("danenone.lab", 43, None, ALL),
                ("requires.lab", 52, net.tls("mx.danegood.lab.test", own=True), (*ALL, "REQUIRETLS")),
                ("self.plain", 44, net.tls("mx.self.plain.test", own=True), ALL),
                ("old.plain", 45, None, MINIMAL),
                ("sts.plain", 46, net.tls("mx.sts.plain.test"), ALL),
                ("stsbad.plain", 47, net.tls("mx.stsbad.plain.test", own=True), ALL),
                ("ststry.plain", 48, net.tls("mx.ststry.plain.test", own=True), ALL),
                ("later.plain", 50, None, ALL),
                ("notls.plain", 51, net.tls("mx.notls.plain.test", own=True), ALL)):
            peer = Peer(net.address(last), name=f"mx.{name}.test", tls=tls, extensions=extensions)
            net.stops.append(peer.close)
            cls.peers[name.split(".")[0]] = peer
        cls.others = {}
        for name, domains, make in (
                ("postfix", ["postfix.lab.test", "m1.lab.test"], net.postfix),
                ("exim", ["exim.lab.test", "m2.lab.test"], net.exim),
                ("open", ["open.lab.test", "m3.lab.test"], net.opensmtpd)):
            try:
                cls.others[name] = make(domains)
            except unittest.SkipTest as e:
                cls.others[name] = e

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def other(self, name):
        found = self.others[name]
        if isinstance(found, unittest.SkipTest):
            self.skipTest(str(found))
        return found

    def from_a(self, to, body="One line.\r\n", mail=(), rcpt=(), more=""):
        self.a.send(ANA, to, letter(ANA, to, subject(self), body, more), mail, rcpt)

    def taken(self, name, recipient, seconds=20):
        """The one message that a peer took for a recipient."""
        peer = self.peers[name]
        found = sleep_until(lambda: peer.messages(recipient), seconds, lambda: (
            f"{peer.name} got nothing; commands {peer.commands}, trouble {peer.trouble}; "
            f"Longhand says\n{self.a.logged()[-3000:]}"))
        self.assertEqual(1, len(found))
        return found[0]

    def report_about(self, recipient, seconds=30):
        """The DSN that ana gets about a recipient: fields of the message, and of the recipient."""
        def find():
            for each in self.a.inbox(ANA):
                if b"/delivery-status" in each.lower().replace(b"global-", b"") and recipient.encode() in each:
                    whole, single = parts_of_report(each)
                    for fields in single:
                        if recipient in fields.get("final-recipient", ""):
                            return whole, fields, each
            return None
        return sleep_until(find, seconds, lambda: (
            f"no report about {recipient}; Longhand says\n{self.a.logged()[-3000:]}"), 0.3)

    def waits_and_leaks_nothing(self, recipient, peer=None):
        """A message that stays in the queue; no octet of it was given to the peer."""
        said = self.a.outcome(recipient)
        self.assertTrue(said.startswith("waiting, 4."), said)
        if peer:
            for command in self.peers[peer].commands:
                self.assertFalse(command.upper().startswith(("MAIL", "RCPT", "DATA", "BDAT")), command)
        return said

    # To servers of a test, whose every octet is known.

    def test_plain_to_a_server_without_tls(self):
        self.from_a("plain@old.plain.test")
        taken = self.taken("old", "plain@old.plain.test")
        self.assertEqual("", taken.tls)
        self.assertTrue(taken.data.endswith(b"\r\n\r\nOne line.\r\n"), taken.data)

    def test_opportunistic_tls_with_a_self_signed_certificate(self):
        self.from_a("tls@self.plain.test")
        self.assertIn("TLSv1", self.taken("self", "tls@self.plain.test").tls)

    def test_opportunistic_tls_that_is_refused_is_plain(self):
        self.peers["notls"].refuse = lambda c: "454 4.7.0 no TLS now" if c == "STARTTLS" else None
        self.from_a("you@notls.plain.test")
        self.assertEqual("", self.taken("notls", "you@notls.plain.test").tls)

    def test_dane_with_the_right_record(self):
        self.from_a("you@danegood.lab.test")
        self.assertIn("TLSv1", self.taken("danegood", "you@danegood.lab.test").tls)

    def test_dane_with_a_wrong_record_waits(self):
        self.from_a("you@danebad.lab.test")
        self.waits_and_leaks_nothing("you@danebad.lab.test", "danebad")

    def test_dane_without_tls_waits(self):
        self.from_a("you@danenone.lab.test")
        self.waits_and_leaks_nothing("you@danenone.lab.test", "danenone")

    def test_mta_sts_enforced(self):
        self.from_a("you@sts.plain.test")
        self.assertIn("TLSv1", self.taken("sts", "you@sts.plain.test").tls)
        self.assertIn("mta-sts.sts.plain.test", self.policies.asked)

    def test_mta_sts_enforced_with_a_certificate_of_nobody_waits(self):
        self.from_a("you@stsbad.plain.test")
        self.waits_and_leaks_nothing("you@stsbad.plain.test", "stsbad")

    def test_mta_sts_enforced_that_names_another_host_waits(self):
        self.from_a("you@stsother.plain.test")
        said = self.waits_and_leaks_nothing("you@stsother.plain.test")
        self.assertIn("does not name", said)
        self.assertEqual([], self.peers["sts"].messages("you@stsother.plain.test"))

    def test_mta_sts_on_trial_delivers(self):
        self.from_a("you@ststry.plain.test")
        self.assertIn("TLSv1", self.taken("ststry", "you@ststry.plain.test").tls)
        self.assertIn("mta-sts.ststry.plain.test", self.policies.asked)

    def test_mta_sts_between_two_longhands(self):
        self.from_a("bob@b.plain.test")
        got = self.b.wait_for("bob@b.plain.test", subject(self))
        self.assertIn(b"with ESMTPS", got)
        self.assertIn("mta-sts.b.plain.test", self.policies.asked)

    def test_a_refusal_for_now_is_tried_again(self):
        peer, refused = self.peers["later"], []

        def once(command):
            if command.startswith("RCPT") and not refused:
                refused.append(command)
                return "451 4.7.1 greylisted"
            return None
        peer.refuse = once
        self.from_a("you@later.plain.test")
        self.taken("later", "you@later.plain.test")
        self.assertEqual(1, len(refused))
        self.assertIn("4.7.1", self.a.outcome("you@later.plain.test"))

    def test_route_says_the_way_that_mail_takes(self):
        said = self.a.command("route", "you@danegood.lab.test")
        self.assertIn(f"10 mx.danegood.lab.test [{self.lab.address(41)}]\n", said)
        self.assertIn("DNSSEC vouches for it\n", said)
        self.assertIn("DANE: only under TLS, with a certificate that the TLSA records name\n", said)
        # The second Longhand sends nothing there, so it has no policy: the command fetches one, and
        # leaves the folder of the server that runs as it is.
        kept = self.b.data / "mta-sts"
        self.assertEqual([], list(kept.iterdir()))
        said = self.b.command("route", "you@sts.plain.test")
        self.assertIn("MTA-STS, enforced: only under TLS, with a certificate for mx.sts.plain.test", said)
        said = self.b.command("route", "you@ststry.plain.test")
        self.assertIn("MTA-STS, on trial: TLS where it is offered", said)
        self.assertEqual([], list(kept.iterdir()))

    # What senders ask for.

    def test_requiretls_is_passed_on(self):
        self.from_a(BOB, mail=["REQUIRETLS"])
        self.assertIn(b"with ESMTPS", self.b.wait_for(BOB, f"Subject: {subject(self)}\r\n"))
        self.from_a("you@requires.lab.test", mail=["REQUIRETLS"])
        taken = self.taken("requires", "you@requires.lab.test")
        self.assertIn("TLSv1", taken.tls)
        self.assertIn("REQUIRETLS", taken.mail.split())

    def test_requiretls_goes_back_where_the_next_server_lacks_it(self):
        postfix = self.other("postfix")
        self.from_a("private@postfix.lab.test", mail=["REQUIRETLS"])
        whole, fields, _ = self.report_about("private@postfix.lab.test")
        self.assertEqual("dns; mx.a.lab.test", whole["reporting-mta"])
        self.assertEqual(("failed", "5.7.30"), (fields["action"], fields["status"]))
        # A server without TLS, and one that is named by nobody securely, are none for it either.
        for recipient in ("private@old.plain.test", "private@self.plain.test"):
            with self.subTest(recipient):
                self.from_a(recipient, mail=["REQUIRETLS"])
                _, fields, _ = self.report_about(recipient)
                self.assertEqual(("failed", "5.7.30"), (fields["action"], fields["status"]))
        # The second Longhand keeps to it where it sends the message on.
        self.b.command("account", "forward", ONWARD, "further@postfix.lab.test")
        self.from_a(ONWARD, mail=["REQUIRETLS"])
        whole, fields, _ = self.report_about("further@postfix.lab.test")
        self.assertEqual("dns; mx.b.lab.test", whole["reporting-mta"])
        self.assertEqual(("failed", "5.7.30"), (fields["action"], fields["status"]))
        # That the way is there: without the demand, the same message arrives.
        self.from_a(ONWARD, more="X-Way: open\r\n")
        got = postfix.wait_for("X-Way: open")
        self.assertIn(b"Delivered-To: further@postfix.lab.test", got)
        reached = [line for each in postfix.box() for line in each.split(b"\n")
                   if line.startswith((b"Delivered-To: further@", b"Delivered-To: private@"))]
        self.assertEqual(1, len(reached), reached)

    def test_deliver_by_or_return_goes_back_where_the_next_server_lacks_it(self):
        postfix = self.other("postfix")
        self.from_a("soon@postfix.lab.test", mail=["BY=3600;R"])
        _, fields, _ = self.report_about("soon@postfix.lab.test")
        self.assertEqual(("failed", "5.4.7"), (fields["action"], fields["status"]))
        self.from_a("soonish@postfix.lab.test", mail=["BY=3600;N"])
        got = postfix.wait_for("Delivered-To: soonish@postfix.lab.test")
        self.assertIn(f"Subject: {subject(self)}\n".encode(), got)
        self.assertFalse(any(b"Delivered-To: soon@" in each for each in postfix.box()))

    def test_a_wrong_tlsa_record_of_ours_holds_mail_until_it_is_right(self):
        postfix = self.other("postfix")
        postfix.send("you@postfix.lab.test", TURNING,
                     letter("you@postfix.lab.test", TURNING, subject(self)))
        waits = r"to=<ana@turning\.test>.* dsn=4\.7\.5, status=deferred \(([^)]*)\)"
        said = sleep_until(lambda: re.search(waits, postfix.logged()), 30,
                           lambda: f"Postfix sends or refuses:\n{postfix.logged()[-4000:]}")
        self.assertRegex(said.group(1), "^Server certificate not (trusted|verified)$")
        self.assertEqual([], self.a.inbox(TURNING))
        self.names.change("turning.test", self.turning.format(self.right))
        # The caches between forget the old record after 5 seconds, Postfix tries as often.
        got = self.a.wait_for(TURNING, f"Subject: {subject(self)}\r\n", 60)
        self.assertIn(b"with ESMTPS", got)
        self.assertRegex(postfix.logged(),
                         r"Verified TLS connection established to mx\.turning\.test")

    # What the names say.

    def test_a_name_that_does_not_exist_goes_back(self):
        self.from_a("you@nowhere.lab.test")
        _, fields, _ = self.report_about("you@nowhere.lab.test")
        self.assertEqual("failed", fields["action"])
        self.assertEqual("5.1.2", fields["status"])

    def test_a_null_mx_goes_back(self):
        self.from_a("you@nullmx.lab.test")
        _, fields, _ = self.report_about("you@nullmx.lab.test")
        self.assertEqual(("failed", "5.1.10"), (fields["action"], fields["status"]))

    def test_names_in_trouble_wait(self):
        for domain in ("servfail.test", "bogus.test", "dead.plain.test"):
            self.from_a(f"you@{domain}")
        for domain in ("servfail.test", "bogus.test", "dead.plain.test"):
            with self.subTest(domain):
                self.waits_and_leaks_nothing(f"you@{domain}")

    # Reports.

    def test_a_recipient_that_fails_is_reported(self):
        wanted = {"b": "nobody@b.lab.test"}
        wanted.update({name: f"nobody@{name}.lab.test" for name, each in self.others.items()
                       if not isinstance(each, Exception)})
        for recipient in wanted.values():
            self.from_a(recipient)
        for name, recipient in wanted.items():
            with self.subTest(name):
                whole, fields, raw = self.report_about(recipient)
                self.assertEqual("dns; mx.a.lab.test", whole["reporting-mta"])
                self.assertEqual("failed", fields["action"])
                self.assertTrue(fields["status"].startswith("5."), fields)
                self.assertIn(f"mx.{name}.lab.test", fields["remote-mta"])
                self.assertRegex(fields["diagnostic-code"], r"^smtp; *5\d\d ")
                self.assertIn(subject(self).encode(), raw)
                self.assertIn(b"Return-Path: <>", raw)
                self.assertIn(b"Content-Type: multipart/report; report-type=delivery-status", raw)

    def needs_dsn(self):
        self.assertTrue(self.a.announces("dsn"), "submission does not announce DSN")

    def test_success_is_reported_by_a_server_that_can(self):
        self.needs_dsn()
        for name in ("postfix", "exim", "open"):
            with self.subTest(name):
                self.other(name)
                recipient = f"success@{name}.lab.test"
                self.from_a(recipient, mail=["RET=HDRS", f"ENVID=id-{name}"],
                            rcpt=["NOTIFY=SUCCESS", f"ORCPT=rfc822;{recipient}"])
                whole, fields, _ = self.report_about(recipient)
                self.assertIn(f"mx.{name}.lab.test", whole["reporting-mta"])
                self.assertEqual("delivered", fields["action"])
                if name != "open":  # it says neither
                    self.assertEqual(f"rfc822;{recipient}",
                                     fields["original-recipient"].replace(" ", ""))
                    self.assertEqual(f"id-{name}", whole["original-envelope-id"])

    def test_success_is_relayed_to_a_server_that_cannot_report(self):
        self.needs_dsn()
        recipient = "relayed@old.plain.test"
        self.from_a(recipient, mail=["ENVID=id-old"], rcpt=["NOTIFY=SUCCESS"])
        self.assertNotIn("NOTIFY", str(self.taken("old", recipient).recipients))
        whole, fields, _ = self.report_about(recipient)
        self.assertEqual("relayed", fields["action"])
        self.assertEqual("id-old", whole["original-envelope-id"])

    def test_a_wish_for_reports_is_passed_on(self):
        self.needs_dsn()
        recipient = "wish@self.plain.test"
        self.from_a(recipient, mail=["RET=HDRS", "ENVID=abc+2B1"], rcpt=["NOTIFY=FAILURE,DELAY"])
        taken = self.taken("self", recipient)
        self.assertIn("RET=HDRS", taken.mail)
        self.assertIn("ENVID=abc+2B1", taken.mail)
        self.assertIn("NOTIFY=", taken.recipients[0])
        self.assertIn("FAILURE", taken.recipients[0])

    # Characters.

    def test_eight_bits_to_a_server_without_8bitmime(self):
        self.from_a("eight@old.plain.test", "Grüße aus Köln\r\n", mail=["BODY=8BITMIME"],
                    more="MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: 8bit\r\n")
        taken = self.taken("old", "eight@old.plain.test")
        self.assertNotIn("BODY", taken.mail)
        self.assertTrue(taken.data.isascii(), taken.data)
        parsed = email.message_from_bytes(taken.data)
        self.assertEqual("Grüße aus Köln", parsed.get_payload(decode=True).decode().strip())

    def test_eight_bits_stay_as_they_are_elsewhere(self):
        more = ("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: 8bit\r\n")
        for name in ("postfix", "exim", "open"):
            with self.subTest(name):
                self.other(name)
                self.from_a(f"eight@{name}.lab.test", f"Grüße an {name}\r\n",
                            mail=["BODY=8BITMIME"], more=more)
                self.other(name).wait_for(f"Grüße an {name}")

    def test_utf8_addresses(self):
        self.from_a(UTF8, mail=["SMTPUTF8", "BODY=8BITMIME"])
        got = self.b.wait_for(UTF8, subject(self))
        self.assertIn(b"with UTF8SMTPS", got)
        self.from_a("grüße@self.plain.test", mail=["SMTPUTF8", "BODY=8BITMIME"])
        self.assertIn("SMTPUTF8", self.taken("self", "grüße@self.plain.test").mail)
        for name in ("postfix", "exim"):
            with self.subTest(name):
                self.other(name)
                self.from_a(f"grüße@{name}.lab.test", mail=["SMTPUTF8", "BODY=8BITMIME"])
                self.other(name).wait_for(f"grüße@{name}.lab.test")

    def test_utf8_addresses_come_in(self):
        for name in ("postfix", "exim"):
            with self.subTest(name):
                server = self.other(name)
                self.other(name)
                server.send(f"müller@{name}.lab.test", UTF8,
                            letter(f"müller@{name}.lab.test", UTF8, f"{subject(self)} {name}"),
                            mail=["SMTPUTF8", "BODY=8BITMIME"])
                got = self.b.wait_for(UTF8, f"{subject(self)} {name}")
                self.assertIn(f"müller@{name}.lab.test".encode(), got)

    def test_utf8_addresses_go_back_from_a_server_without_them(self):
        recipients = ["grüße@old.plain.test"]
        if not isinstance(self.others["open"], Exception):
            recipients.append("grüße@open.lab.test")
        for recipient in recipients:
            self.from_a(recipient, mail=["SMTPUTF8", "BODY=8BITMIME"])
        for recipient in recipients:
            with self.subTest(recipient):
                _, fields, _ = self.report_about(recipient)
                self.assertEqual("failed", fields["action"])
                self.assertEqual("5.6.7", fields["status"])
        self.assertEqual([], self.peers["old"].messages("grüße"))

    # Both ways with programs of others.

    def test_between_two_longhands(self):
        self.from_a(BOB)
        got = self.b.wait_for(BOB, f"Subject: {subject(self)}\r\n")
        self.assertIn(b"with ESMTPS", got)
        self.b.send(BOB, ANA, letter(BOB, ANA, f"back {subject(self)}"))
        self.assertIn(b"with ESMTPS", self.a.wait_for(ANA, f"Subject: back {subject(self)}\r\n"))

    def there_and_back(self, name):
        server = self.other(name)
        address = f"you@{name}.lab.test"
        body = "".join(f"line {i}\r\n" for i in range(50)) + ".\r\n..\r\nFrom here\r\n"
        self.from_a(address, body)
        got = server.wait_for(f"Subject: {subject(self)}\n")
        self.assertTrue(got.replace(b"\r\n", b"\n").endswith(body.replace("\r\n", "\n").encode()), got)
        if name != "open":
            self.assertIn(b"TLS", got)
        server.send(address, ANA, letter(address, ANA, f"back {subject(self)}", body))
        back = self.a.wait_for(ANA, f"Subject: back {subject(self)}\r\n")
        self.assertIn(b"with ESMTPS", back)
        self.assertTrue(back.endswith(body.encode()), back)
        # The name before the domain is not known: their server reports it to their box.
        server.send(f"sender-{name}@{name}.lab.test", "nobody@a.lab.test",
                    letter(address, "nobody@a.lab.test", f"lost {subject(self)}"))
        lost = server.wait_for(f"Subject: lost {subject(self)}\n")
        whole, single = parts_of_report(lost)
        self.assertIn(f"mx.{name}.lab.test", whole["reporting-mta"])
        self.assertEqual("failed", single[0]["action"])
        self.assertTrue(single[0]["status"].startswith("5."), single)
        return server

    def test_postfix_there_and_back(self):
        server = self.there_and_back("postfix")
        self.assertRegex(server.logged(), r"Verified TLS connection established to mx\.a\.lab\.test")

    def test_exim_there_and_back(self):
        server = self.there_and_back("exim")
        self.assertRegex(server.logged(), r"=> ana@a\.lab\.test .*H=mx\.a\.lab\.test .*CV=dane")

    def test_opensmtpd_there_and_back(self):
        self.there_and_back("open")

    # Much.

    def test_forty_megabytes(self):
        line = b"0123456789" * 7 + b"\r\n"
        body = line * (40_000_000 // len(line))
        start = letter(ANA, BIG, subject(self))
        message = start[:start.index(b"\r\n\r\n") + 4] + body
        recipients = [BIG] + [f"big@{name}.lab.test" for name, each in self.others.items()
                              if not isinstance(each, Exception)]
        self.a.send(ANA, recipients, message)
        sleep_until(lambda: self.b.count(BIG) == 1, 40, lambda: self.a.logged()[-3000:])
        got = self.b.inbox(BIG)
        self.assertTrue(got[0].endswith(body))
        for name, each in self.others.items():
            if not isinstance(each, Exception):
                with self.subTest(name):
                    got = each.wait_for(f"Subject: {subject(self)}\n", 40)
                    self.assertEqual(len(body.replace(b"\r\n", b"\n")),
                                     len(got[got.index(b"\n\n") + 2:].replace(b"\r\n", b"\n")))
                    # And back, so that a large message comes in from each.
                    each.send(f"{name}@{name}.lab.test", BIG, message)
        here = sum(not isinstance(each, Exception) for each in self.others.values())
        sleep_until(lambda: self.b.count(BIG) == 1 + here, 60, lambda: self.b.logged()[-3000:], 0.3)
        self.assertTrue(all(each.endswith(body) for each in self.b.inbox(BIG)))

    def test_a_thousand_recipients(self):
        domains = {"postfix": "m1.lab.test", "exim": "m2.lab.test", "open": "m3.lab.test"}
        here = [name for name in domains if not isinstance(self.others[name], Exception)]
        targets = [domains[name] for name in here] + ["m4.plain.test"]
        each = 1000 // len(targets)
        recipients = [f"r{i}@{domain}" for domain in targets for i in range(each)]
        recipients += [f"more{i}@m4.plain.test" for i in range(1000 - len(recipients))]
        self.a.send("load@a.lab.test", recipients,
                    letter("load@a.lab.test", "many@lab.test", subject(self)))

        def at_peer():
            return [command.split("<")[1].split(">")[0] for taken in
                    self.peers["self"].messages("@m4.plain.test") for command in taken.recipients]

        def at_other(name):
            found = []
            for message in self.other(name).box():
                if f"Subject: {subject(self)}\n".encode() in message:
                    found += re.findall(
                        rf"^(?:Delivered-To|Envelope-to): *(\S+@{domains[name]})\s*$",
                        message.decode(), re.MULTILINE)
            return found

        def arrived():
            return at_peer() + [one for name in here for one in at_other(name)]
        sleep_until(lambda: len(arrived()) >= 1000, 60, lambda: (
            f"{len(arrived())} of 1000 arrived; Longhand says\n{self.a.logged()[-3000:]}"), 0.5)
        self.assertEqual(sorted(recipients), sorted(arrived()))
        # RFC 5321 §4.5.3.1.8: no more than a hundred at once.
        for taken in self.peers["self"].messages("@m4.plain.test"):
            self.assertLessEqual(len(taken.recipients), 100)


if __name__ == "__main__":
    unittest.main()
