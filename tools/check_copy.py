"""Copies the log with `cp` while the server is under load, and runs the copy: `python -m tools.check_copy --rounds 30`.

The copy must verify, open on its own, and hold all that was acknowledged before `cp` began, with its UIDs. Run in place
of the original, which went on for a while, it must not tell a client any number again with another meaning: UIDs, the
UIDVALIDITY of a mailbox made anew, numbers of messages in SMTP replies. It comes into its place in three ways:

    moved         `mv copy log`: another inode
    written over  `cp copy log`: the same inode, but the derived files know better (after an orderly stop)
    said          the same without derived files, and `run --restored`
"""

import argparse
import contextlib
import imaplib
import random
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.crash import (
    LOAD,
    LOST,
    PASSWORD,
    TIMEOUT,
    Knowledge,
    Mail,
    Wrong,
    crockery,
    fetch_all,
    free_offset,
    make_log,
    running,
)

WAYS: Final = ("moved", "written over", "said")


@dataclass(slots=True)
class Seen:
    """What clients were told by the original."""

    uidvalidity: int = 0
    uids: dict[int, str] = field(default_factory=dict)
    """UID -> the mail's token."""
    later: int = 0
    """UIDVALIDITY of the mailbox Later, made after the copy."""
    numbers: set[int] = field(default_factory=set)
    """Of messages, in replies to DATA."""


@contextlib.contextmanager
def under_load(offset: int, knowledge: Knowledge, rng: random.Random) -> Iterator[None]:
    """Load while the block runs; it must end the server."""

    def session(number: int, seed: int) -> None:
        with contextlib.suppress(*LOST):
            LOAD[number](offset, knowledge, random.Random(seed))

    threads = [threading.Thread(target=session, args=(number, rng.random())) for number in range(len(LOAD))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def original(log: Path, copy: Path, offset: int, rng: random.Random, ending: signal.Signals) -> tuple[list[Mail], Seen]:
    """Load, `cp` amid it, more load, an end. Returns what was acknowledged before `cp`, and what clients saw."""
    knowledge, seen = Knowledge(), Seen()
    with running(log, offset) as (server, _), under_load(offset, knowledge, rng):
        try:
            time.sleep(rng.uniform(0.3, 1.0))
            with knowledge.lock:
                acknowledged = [mail for mail in knowledge.mails.values() if mail.is_acknowledged]
            subprocess.run(["cp", log, copy], check=True)
            with knowledge.lock:
                kept = [mail for mail in acknowledged if not (mail.is_leaving or mail.is_gone)]
            time.sleep(rng.uniform(0.1, 0.5))
            seen.numbers.update(send(offset, 3))
            seen.later = make_mailbox(offset)
            seen.uidvalidity, _, served = fetch_all(offset)
            seen.uids = {uid: token for uid, _, token in served}
        finally:
            server.send_signal(ending)
            server.wait()
    return kept, seen


def put_in_place(log: Path, copy: Path, way: str) -> list[str]:
    """Bring the copy into the original's place; returns options for `run`."""
    if way == "moved":
        copy.rename(log)
        return []
    subprocess.run(["cp", copy, log], check=True)
    if way == "said":
        shutil.rmtree(f"{log}.d", ignore_errors=True)
        return ["--restored"]
    return []


def check_content(served: list[tuple[int, set[str], str]], kept: list[Mail]) -> None:
    """Raise Wrong unless all that was acknowledged is there once, with its UID."""
    there: dict[str, int] = {}
    for uid, _, token in served:
        if token in there:
            raise Wrong(f"mail {token} is there twice")
        there[token] = uid
    for mail in kept:
        if mail.token not in there:
            raise Wrong(f"acknowledged before the copy, and not in it: {mail}")
        if mail.uid not in (0, there[mail.token]):
            raise Wrong(f"UID {there[mail.token]} in the copy: {mail}")


def check_numbers(offset: int, seen: Seen) -> None:
    """Raise Wrong if a number that a client saw means something else now."""
    again = seen.numbers & set(send(offset, 20))
    if again:
        raise Wrong(f"messages have numbers that others had: {sorted(again)}")
    uidvalidity, uidnext, served = fetch_all(offset)
    if uidvalidity == seen.uidvalidity:
        for uid, _, token in served:
            if seen.uids.get(uid, token) != token:
                raise Wrong(f"UID {uid} was mail {seen.uids[uid]} and is {token}")
        if uidnext <= max(seen.uids):
            raise Wrong(f"UIDNEXT is {uidnext}, and there was a UID {max(seen.uids)}")
    if make_mailbox(offset) == seen.later:
        raise Wrong(f"a new mailbox Later has the UIDVALIDITY {seen.later} of the one that is gone")


def send(offset: int, count: int) -> list[int]:
    """Send some mails over SMTP; returns the numbers that the replies tell."""
    numbers = []
    with smtplib.SMTP("127.0.0.1", 25 + offset, timeout=TIMEOUT) as client:
        client.ehlo("client.test")
        for _ in range(count):
            client.mail("ben@elsewhere.test")
            client.rcpt("anna@example.test")
            _, reply = client.data(b"X-Token: s%d\r\n\r\n" % random.getrandbits(64))
            number = re.search(rb"accepted as (\d+)", reply)
            if number is None:
                raise Wrong(f"DATA: {reply!r}")
            numbers.append(int(number[1]))
    return numbers


def make_mailbox(offset: int) -> int:
    """Make the mailbox Later; returns its UIDVALIDITY."""
    with imaplib.IMAP4("127.0.0.1", 143 + offset, timeout=TIMEOUT) as client:
        client.login("anna", PASSWORD)
        client.create("Later")
        _, data = client.status("Later", "(UIDVALIDITY)")
        found = re.search(rb"UIDVALIDITY (\d+)", data[0] or b"")
        if found is None:
            raise Wrong(f"STATUS says {data!r}")
        return int(found[1])


def check(folder: Path, rng: random.Random, way: str) -> int:
    """One original, its copy alone, and the copy in its place; returns how many mails were checked. Raises Wrong."""
    log, copy, alone = folder / "log.crk", folder / "copy.crk", folder / "alone.crk"
    offset = free_offset()
    make_log(log)
    ending = signal.SIGTERM if way == "written over" else signal.SIGKILL
    kept, seen = original(log, copy, offset, rng, ending)
    shutil.copyfile(copy, alone)
    verified = subprocess.run(crockery("verify", alone), capture_output=True, text=True)
    if verified.returncode:
        raise Wrong(f"crockery verify: {verified.stdout}{verified.stderr}")
    with running(alone, offset):
        check_content(fetch_all(offset)[2], kept)
    options = put_in_place(log, copy, way)
    with running(log, offset, *options):
        check_content(fetch_all(offset)[2], kept)
        check_numbers(offset, seen)
    return len(kept)


def main() -> None:
    """Run rounds; on a failure keep the folder and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, kept = random.Random(options.seed), 0
    for number in range(options.rounds):
        folder = Path(tempfile.mkdtemp(prefix="crockery-copy-"))
        way = WAYS[number % len(WAYS)]
        try:
            kept += check(folder, rng, way)
        except Wrong as error:
            sys.exit(f"round {number}, {way}: {error}\nthe logs are in {folder}")
        shutil.rmtree(folder)
    print(f"{options.rounds} copies under load, {kept:,} mails acknowledged before: all there, no number told twice")


if __name__ == "__main__":
    main()
