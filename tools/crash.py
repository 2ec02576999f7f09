"""Kills the server under load, again and again: `python -m tools.crash --rounds 300`.

Each round starts `crockery run`, compares what it serves with what was acknowledged, puts on load (SMTP mail in, IMAP
APPEND, STORE, EXPUNGE, each in several sessions) and sends SIGKILL at a random moment. Acknowledged mail must be there
exactly once, with its UID and flags; mail that was not acknowledged at most once; expunged mail never again.
"""

import argparse
import contextlib
import imaplib
import os
import random
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PASSWORD: Final = "secret"
PORTS: Final = (25, 465, 587, 143, 993, 80, 443)
TIMEOUT: Final = 180.0
"""Seconds for what must come; so many, as they matter only where it does not."""

FLAGS: Final = ("\\Seen", "\\Flagged", "\\Answered", "$Work", "$Later")
LOST: Final = (OSError, smtplib.SMTPException, imaplib.IMAP4.error)
"""What a client sees of a killed server."""


class Wrong(Exception):
    """The server serves something else than it acknowledged."""


@dataclass(slots=True)
class Mail:
    """A mail as the load knows it."""

    token: str
    uid: int = 0
    """0: not told yet."""
    flags: set[str] = field(default_factory=set)
    pending: tuple[str, str] | None = None
    """A change of flags that was asked for and not acknowledged: "+" or "-", and the flag."""
    is_acknowledged: bool = False
    is_leaving: bool = False
    """An expunge was asked for."""
    is_gone: bool = False
    """It was acknowledged, or is known to have happened."""


class Knowledge:
    """All mail that was ever tried, by token; shared by the threads of the load."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.mails: dict[str, Mail] = {}
        self.uidvalidity = 0
        self.uidnext = 1
        self.acknowledged = 0
        self.kept_unacknowledged = 0

    def new(self, flags: set[str]) -> Mail:
        """A mail that is about to be tried."""
        with self.lock:
            mail = Mail(f"t{len(self.mails)}", flags=flags)
            self.mails[mail.token] = mail
            return mail

    def settled(self, rng: random.Random, most: int) -> list[Mail]:
        """Some mails whose UID is known and which nobody is changing."""
        with self.lock:
            ready = [m for m in self.mails.values() if m.uid and not (m.is_leaving or m.is_gone or m.pending)]
            return rng.sample(ready, min(most, len(ready)))

    def compare(self, uidvalidity: int, uidnext: int, served: list[tuple[int, set[str], str]]) -> None:
        """Raise Wrong unless what is served is what was acknowledged; then take note of what came of the rest."""
        if self.uidvalidity not in (0, uidvalidity):
            raise Wrong(f"UIDVALIDITY was {self.uidvalidity}, is {uidvalidity}")
        if uidnext < self.uidnext:
            raise Wrong(f"UIDNEXT was {self.uidnext}, is {uidnext}")
        self.uidvalidity, self.uidnext = uidvalidity, uidnext
        there: dict[str, tuple[int, set[str]]] = {}
        for uid, flags, token in served:
            if token in there:
                raise Wrong(f"mail {token} is there twice: UID {there[token][0]} and {uid}")
            there[token] = uid, flags
        if unknown := there.keys() - self.mails.keys():
            raise Wrong(f"there is mail that nobody sent: {sorted(unknown)}")
        for mail in self.mails.values():
            self._compare(mail, there.get(mail.token))

    def _compare(self, mail: Mail, found: tuple[int, set[str]] | None) -> None:
        if found is None:
            if mail.is_acknowledged and not (mail.is_leaving or mail.is_gone):
                raise Wrong(f"acknowledged mail is lost: {mail}")
            if mail.is_leaving or not mail.is_acknowledged:
                mail.is_gone = True
            return
        uid, flags = found
        if mail.is_gone:
            raise Wrong(f"mail is back that was gone: {mail}")
        if mail.uid not in (0, uid):
            raise Wrong(f"mail has another UID, {uid}: {mail}")
        if flags - {"\\Deleted"} not in _possible_flags(mail) or ("\\Deleted" in flags and not mail.is_leaving):
            raise Wrong(f"mail has other flags, {flags}: {mail}")
        if not mail.is_acknowledged:
            self.kept_unacknowledged += 1
        mail.is_acknowledged, mail.uid = True, uid
        mail.flags, mail.pending = flags - {"\\Deleted"}, None


def _possible_flags(mail: Mail) -> list[set[str]]:
    if mail.pending is None:
        return [mail.flags]
    sign, flag = mail.pending
    return [mail.flags, mail.flags | {flag} if sign == "+" else mail.flags - {flag}]


# The load: each of these runs in a thread until the server is gone.


def smtp_session(offset: int, knowledge: Knowledge, rng: random.Random) -> None:
    """Mail from outside."""
    with smtplib.SMTP("127.0.0.1", 25 + offset, timeout=TIMEOUT) as client:
        while True:
            mail = knowledge.new(set())
            client.sendmail("ben@elsewhere.test", ["anna@example.test"], _message(mail, rng))
            _acknowledge(knowledge, mail)


def append_session(offset: int, knowledge: Knowledge, rng: random.Random) -> None:
    """APPEND, with flags."""
    with _login(offset) as client:
        while True:
            mail = knowledge.new(set(rng.sample(FLAGS, rng.randrange(3))))
            flags = f"({' '.join(mail.flags)})"
            _, data = client.append("INBOX", flags, "", _message(mail, rng))
            match = re.search(rb"APPENDUID (\d+) (\d+)", data[0] or b"")
            if match is None:
                raise Wrong(f"APPEND without APPENDUID: {data!r}")
            with knowledge.lock:
                mail.uid = int(match[2])
            _acknowledge(knowledge, mail)


def flag_session(offset: int, knowledge: Knowledge, rng: random.Random) -> None:
    """STORE on one mail after another."""
    with _login(offset) as client:
        while True:
            mails = knowledge.settled(rng, 1)
            client.noop()  # a session may not know yet what another has appended
            for mail in mails:
                with knowledge.lock:
                    if mail.pending or mail.is_leaving:
                        continue
                    mail.pending = rng.choice("+-"), rng.choice(FLAGS)
                sign, flag = mail.pending
                client.uid("STORE", str(mail.uid), f"{sign}FLAGS.SILENT", f"({flag})")
                with knowledge.lock:
                    mail.flags = mail.flags | {flag} if sign == "+" else mail.flags - {flag}
                    mail.pending = None


def expunge_session(offset: int, knowledge: Knowledge, rng: random.Random) -> None:
    """Delete some mails now and then, so that the mailbox does not only grow."""
    with _login(offset) as client:
        while True:
            time.sleep(rng.uniform(0.05, 0.3))
            mails = []
            chosen = knowledge.settled(rng, rng.randrange(1, 60))
            client.noop()
            for mail in chosen:
                with knowledge.lock:
                    if not mail.pending and not mail.is_leaving:
                        mail.is_leaving = True
                        mails.append(mail)
            if mails:
                uids = ",".join(str(mail.uid) for mail in mails)
                client.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)")
                client.uid("EXPUNGE", uids)
                with knowledge.lock:
                    for mail in mails:
                        mail.is_gone = True


LOAD: Final[tuple[Callable[[int, Knowledge, random.Random], None], ...]] = (
    smtp_session, smtp_session, smtp_session, append_session, append_session, flag_session, expunge_session,
)  # fmt: skip


def _message(mail: Mail, rng: random.Random) -> bytes:
    size = rng.choice((10, 500, 3000, 30_000)) if rng.random() < 0.99 else 2_000_000
    body = b"\r\n".join([rng.randbytes(30).hex().encode()] * (size // 60))
    return b"Subject: crash\r\nX-Token: %s\r\n\r\n%s\r\n" % (mail.token.encode(), body)


def _acknowledge(knowledge: Knowledge, mail: Mail) -> None:
    with knowledge.lock:
        mail.is_acknowledged = True
        knowledge.acknowledged += 1


@contextlib.contextmanager
def _login(offset: int) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4("127.0.0.1", 143 + offset, timeout=TIMEOUT)
    try:
        client.login("anna", PASSWORD)
        client.select("INBOX")
        yield client
    finally:
        with contextlib.suppress(OSError):
            client.shutdown()


def fetch_all(offset: int) -> tuple[int, int, list[tuple[int, set[str], str]]]:
    """UIDVALIDITY, UIDNEXT, and UID, flags and token of each mail."""
    with _login(offset) as client:
        _, status = client.status("INBOX", "(UIDVALIDITY UIDNEXT)")
        _, data = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Token)])")
        client.logout()
    numbers = dict(re.findall(rb"(UIDVALIDITY|UIDNEXT) (\d+)", status[0] or b""))
    served = []
    for item in data:
        if isinstance(item, tuple):
            uid, flags = re.search(rb"UID (\d+)", item[0]), re.search(rb"FLAGS \(([^)]*)\)", item[0])
            assert uid is not None and flags is not None
            names = set(flags[1].decode().split()) - {"\\Recent"}
            served.append((int(uid[1]), names, item[1].split(b":")[1].strip().decode()))
    return int(numbers[b"UIDVALIDITY"]), int(numbers[b"UIDNEXT"]), served


# The server.


def crockery(*arguments: object) -> list[str]:
    """The command line of a `crockery` command."""
    return [str(Path(sys.executable).with_name("crockery")), *map(str, arguments)]


def free_offset() -> int:
    """A port offset with all ports free, and below those that the system gives to outgoing connections."""
    while True:
        offset = random.SystemRandom().randrange(10_000, 31_000)  # no seed: two runs may not meet
        with contextlib.ExitStack() as sockets, contextlib.suppress(OSError):
            for port in PORTS:
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            return offset


def make_log(log: Path) -> None:
    """A log for example.test with the account anna."""
    environment = {**os.environ, "CROCKERY_POSTMASTER_PASSWORD": PASSWORD}
    for command in (
        crockery("init", log, "--domain", "example.test"),
        crockery("account", "add", "anna", "--password", PASSWORD, "--log", log),
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Wrong(f"{' '.join(command)}: {done.stdout}{done.stderr}")


@contextlib.contextmanager
def running(log: Path, offset: int, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server that is up, and the seconds it took; killed at the end if it is still there."""
    command = crockery("run", log, "--bind", "127.0.0.1", "--port-offset", offset, *options)
    begun = time.monotonic()
    with (log.parent / "server.log").open("ab") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait_until_up(server, offset)
        yield server, time.monotonic() - begun
    finally:
        server.kill()
        server.wait()


def _wait_until_up(server: subprocess.Popen[bytes], offset: int) -> None:
    for _ in range(int(TIMEOUT * 100)):
        if server.poll() is not None:
            raise Wrong(f"the server ended at its start (exit code {server.returncode}): see server.log")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 143 + offset), 1) as probe:
            if probe.recv(10):
                return
        time.sleep(0.01)
    raise Wrong("the server does not come up")


def put_on_load(server: subprocess.Popen[bytes], offset: int, knowledge: Knowledge, rng: random.Random) -> None:
    """Load for a random while, then SIGKILL."""
    wrong: list[Wrong] = []

    def session(work: Callable[[int, Knowledge, random.Random], None], seed: int) -> None:
        try:
            work(offset, knowledge, random.Random(seed))
        except LOST as error:
            if server.poll() is None and not killed.is_set():
                wrong.append(Wrong(f"{work.__name__} lost its server before the kill: {error!r}"))
        except Wrong as error:
            wrong.append(error)

    killed = threading.Event()
    threads = [threading.Thread(target=session, args=(work, rng.random())) for work in LOAD]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.05, 1.5))
    killed.set()
    server.send_signal(signal.SIGKILL)
    server.wait()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def run(rounds: int, seed: int, folder: Path, say: Callable[[str], None] = print) -> Knowledge:
    """Run rounds on a new log in `folder`; raises Wrong."""
    rng = random.Random(seed)
    log, offset, knowledge = folder / "crash.crk", free_offset(), Knowledge()
    make_log(log)
    starts = []
    for number in range(rounds + 1):
        with running(log, offset) as (server, seconds):
            starts.append(seconds)
            knowledge.compare(*fetch_all(offset))
            if number < rounds:
                put_on_load(server, offset, knowledge, rng)
        if number % 10 == 0:
            say(f"round {number}: {knowledge.acknowledged:,} mails acknowledged, up in {seconds:.2f} s")
    verified = subprocess.run(crockery("verify", log), capture_output=True, text=True)
    if verified.returncode:
        raise Wrong(f"crockery verify: {verified.stdout}{verified.stderr}")
    say(
        f"{rounds} kills: {knowledge.acknowledged:,} mails acknowledged, all there exactly once or expunged; "
        f"{knowledge.kept_unacknowledged:,} kept that were not acknowledged; up again in "
        f"{sorted(starts)[len(starts) // 2]:.2f} s (median), {max(starts):.2f} s at most"
    )
    return knowledge


def main(description: str | None, run: Callable[[int, int, Path], object]) -> None:
    """Run rounds from a seed in a folder; on a failure keep the folder and say what is wrong."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="crockery-crash-"))
    try:
        run(options.rounds, options.seed, folder)
    except Wrong as error:
        sys.exit(f"{error}\nthe log and the server's output are in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(__doc__, run)
