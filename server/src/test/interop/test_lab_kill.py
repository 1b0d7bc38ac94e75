"""Longhand is killed, again and again, while mail goes through it both ways; nothing is lost.

A user hands in mail for other servers, and another server brings mail for a user. The test's own
server and clients are the ledger: what was acknowledged to them, what they took, and whether
whoever sent it can have read the reply. LONGHAND_LAB_SECONDS is how long kills go on (30 if not
set), LONGHAND_LAB_SEED where their times come from.
"""

import collections
import os
import random
import re
import smtplib
import threading
import time
import unittest

import lab
from lab import Lab, letter, sleep_until
from longhand import PASSWORD
from peer import Peer

USER = "ana@a.lab.test"
SECONDS = float(os.environ.get("LONGHAND_LAB_SECONDS", "30"))
SEED = int(os.environ.get("LONGHAND_LAB_SEED", "20"))
OUT_CLIENTS = 3
IN_CLIENTS = 3
SERVERS = 3

# What Longhand was told, and what it has not written down after this time, it does not write down.
RECORDED_SECONDS = 3

SUBJECT = re.compile(rb"^Subject: (\S+)\r$", re.MULTILINE)


def name_of(message):
    return SUBJECT.search(message).group(1).decode()


class Client(threading.Thread):
    """Sends messages one after the other, as long as it may, over connections that die.

    A message without a 250 is never sent again: of it nothing is known, and nothing is asked.
    """

    def __init__(self, number, address, port, sender, login, recipients, random, stop):
        super().__init__(daemon=True)
        self.number = number
        self.place = (address, port)
        self.sender = sender
        self.login = login
        self.recipients = recipients
        self.random = random
        self.stop = stop
        self.acknowledged = {}
        self.refused = []
        self.tried = 0

    def run(self):
        while not self.stop.is_set():
            try:
                self.converse()
            except (OSError, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError):
                self.stop.wait(0.05)  # it is dead just now
            except smtplib.SMTPResponseException as e:
                # Only what may pass is an answer here: 421 while it ends, 4yz while it begins.
                if e.smtp_code >= 500:
                    self.refused.append(str(e))
                self.stop.wait(0.05)

    def converse(self):
        session = smtplib.SMTP(*self.place, local_hostname="client.test", timeout=30)
        try:
            if self.login:
                session.login(self.sender, PASSWORD)
            for _ in range(self.random.randint(1, 30)):
                if self.stop.is_set():
                    return
                self.one(session)
        finally:
            session.close()

    def one(self, session):
        name = f"{'out' if self.login else 'in'}-{self.number}-{self.tried}"
        self.tried += 1
        to = self.recipients(self.random)
        size = self.random.choice([0, 0, 10, 200, 3000])
        body = "".join(f"{name} {i}\r\n" for i in range(size)) + "end\r\n"
        session.ehlo_or_helo_if_needed()
        for command in [f"MAIL FROM:<{self.sender}>", *[f"RCPT TO:<{each}>" for each in to]]:
            code, said = session.docmd(command)
            if code != 250:
                raise smtplib.SMTPResponseException(code, said)
        code, said = session.data(letter(self.sender, to[0], name, body))
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)
        self.acknowledged[name] = (to, body)


class Kill(unittest.TestCase):

    def setUp(self):
        self.lab = Lab()
        self.addCleanup(self.lab.stop)

    def test_killed_at_any_time(self):
        print(f"seed {SEED}, {SECONDS:g} s", flush=True)
        chance = random.Random(SEED)
        net = self.lab
        plain = [f"x{i} IN MX 10 mx.x{i}\nmx.x{i} IN A {net.address(41 + i)}" for i in range(SERVERS)]
        net.names(f"mx.a IN A {net.address(21)}\na IN MX 10 mx.a\n", "\n".join(plain) + "\n")
        turn = random.Random(chance.random())

        def refuse(command):
            # Some recipients must wait, so that states are written down and read again.
            return "451 4.7.1 later" if command.startswith("RCPT") and turn.random() < 0.05 else None

        def take(_):
            # A reply that comes late is one that a kill cuts off.
            time.sleep(turn.choice([0, 0, 0, 0.02, 0.1]))
        peers = []
        for i in range(SERVERS):
            tls = net.tls(f"mx.x{i}.plain.test", own=True) if i == 0 else None
            peer = Peer(net.address(41 + i), name=f"mx.x{i}.plain.test", tls=tls, refuse=refuse,
                        take=take)
            net.stops.append(peer.close)
            peers.append(peer)
        server = net.stopping(lab.Longhand(
            net, 21, "mx.a.lab.test", ["a.lab.test"], [USER], net.unbound_dns()))
        server.start().ready()

        stop = threading.Event()

        def outward(random):
            count = random.choice([1, 1, 1, 2, 5])
            return [f"r{random.randrange(10 ** 9)}@x{random.randrange(SERVERS)}.plain.test"
                    for _ in range(count)]
        clients = [Client(i, server.address, 587, USER, True, outward,
                          random.Random(chance.random()), stop) for i in range(OUT_CLIENTS)]
        clients += [Client(i, server.address, 25, "you@elsewhere.test", False, lambda _: [USER],
                           random.Random(chance.random()), stop) for i in range(IN_CLIENTS)]
        for each in clients:
            each.start()
        end = time.monotonic() + SECONDS
        kills = 0
        while time.monotonic() < end:
            # Seldom before it answers at all, mostly some time after.
            if chance.random() < 0.2:
                time.sleep(chance.uniform(0.2, 1.0))
            else:
                server.ready()
                time.sleep(chance.uniform(0, 2.5))
            server.kill()
            kills += 1
            server.start()
        server.ready()
        time.sleep(1)
        stop.set()
        for each in clients:
            each.join(40)
            self.assertFalse(each.is_alive())
        self.assertEqual([], [said for each in clients for said in each.refused])
        self.compare(server, peers, clients, kills)

    def compare(self, server, peers, clients, kills):
        outward = {name: sent for each in clients if each.login
                   for name, sent in each.acknowledged.items()}
        inward = {name: sent for each in clients if not each.login
                  for name, sent in each.acknowledged.items()}
        self.assertGreater(len(outward), 20)
        self.assertGreater(len(inward), 20)
        wanted = {(name, to) for name, (recipients, _) in outward.items() for to in recipients}

        def at_peers():
            """(name, recipient) to the messages that brought it."""
            found = collections.defaultdict(list)
            for peer in peers:
                for taken in peer.messages():
                    for command in taken.recipients:
                        found[name_of(taken.data), command.split("<")[1].split(">")[0]].append(taken)
            return found
        with_lost = []

        def all_there():
            with_lost[:] = sorted(wanted - at_peers().keys())
            return not with_lost
        sleep_until(all_there, 60, lambda: (
            f"seed {SEED}: {len(with_lost)} of {len(wanted)} recipients never got what was "
            f"acknowledged, as {with_lost[:5]}; Longhand says\n{server.logged()[-3000:]}"), 0.3)
        # Time for what should not come any more: the longest wait between tries is 4 s.
        time.sleep(6)
        excused, longest = 0, 0.0
        for (name, to), all_taken in at_peers().items():
            if name in outward:
                for taken in all_taken:
                    self.assertTrue(taken.data.endswith(b"\r\n\r\n" + outward[name][1].encode()), name)
            for taken in sorted(all_taken, key=lambda each: each.replied)[:-1]:
                self.assertFalse(
                    taken.seen,
                    f"seed {SEED}: {name} to {to} was sent again though its reply had been read")
                # Between the reply and the end of the connection there was no time to write it down.
                self.assertLess(taken.gone - taken.replied, RECORDED_SECONDS,
                                f"seed {SEED}: {name} to {to} was sent again")
                self.assertGreater(taken.gone, 0)
                longest = max(longest, taken.gone - taken.replied)
                excused += 1
        got = collections.Counter()
        for message in server.inbox(USER):
            name = name_of(message)
            got[name] += 1
            if name in inward:
                self.assertTrue(message.endswith(b"\r\n\r\n" + inward[name][1].encode()), name)
        self.assertEqual([], sorted(inward.keys() - got.keys()), f"seed {SEED}: lost")
        self.assertEqual([], [name for name, n in got.items() if n > 1], f"seed {SEED}: twice")
        print(f"{kills} kills; outward {len(outward)} messages to {len(wanted)} recipients, "
              f"{excused} sent again whose reply was lost (at most {longest:.2f} s before the end); inward {len(inward)} messages", flush=True)


if __name__ == "__main__":
    unittest.main()
