"""Rows about coming back: SELECT with QRESYNC (RFC 7162) by a client that knows the mailbox as it was.

The mailbox is a copy of that of the round. Of the changes half are flags set, half are messages expunged, spread over
the whole of it.
"""

import re
from collections.abc import Callable

from tools.bench.client import Imap, parse_responses
from tools.bench.round import Round, Row, expect

RECONNECTS = 5
BATCH = 500  # messages named in one command
UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")
HIGHESTMODSEQ = re.compile(rb"\[HIGHESTMODSEQ (\d+)\]")


def reconnect(changes: int) -> Callable[[Round], float]:
    """Milliseconds of the SELECT that tells `changes` changes; the median of some clients that know as much."""

    def measure(r: Round) -> float:
        mailbox = f"back{changes}-{r.mailbox}"
        imap = r.connect()
        imap.command("ENABLE QRESYNC")
        _ = r.append_seconds
        imap.command(f"CREATE {mailbox}")
        r.selected.command(f"COPY 1:* {mailbox}")
        known = bytes(imap.command(f"SELECT {mailbox}"))
        _change(imap, len(r.mails), changes)
        imap.command("UNSELECT")
        validity, modseq = UIDVALIDITY.findall(known)[0].decode(), HIGHESTMODSEQ.findall(known)[0].decode()
        seconds = []
        for _ in range(RECONNECTS):
            taken, answer = r.timed(imap, f"SELECT {mailbox} (QRESYNC ({validity} {modseq}))")
            _check(answer, changes)
            seconds.append(taken)
            imap.command("UNSELECT")
        imap.command(f"DELETE {mailbox}")
        return sorted(seconds)[RECONNECTS // 2] * 1000

    return measure


def _change(imap: Imap, messages: int, changes: int) -> None:
    """Sets a flag on half as many messages, and expunges half as many others."""
    if not changes:
        return
    touched = list(range(1, messages + 1, messages // changes))[:changes]
    for uids, items in ((touched[::2], "+FLAGS.SILENT (\\Flagged)"), (touched[1::2], "+FLAGS.SILENT (\\Deleted)")):
        for start in range(0, len(uids), BATCH):
            imap.command(f"UID STORE {','.join(map(str, uids[start : start + BATCH]))} {items}")
    imap.command("EXPUNGE")


def _check(answer: bytearray, changes: int) -> None:
    """Raises WrongAnswer unless each change was told."""
    flagged, vanished = 0, 0
    for response in parse_responses(answer):
        flagged += b" FETCH (" in response.text
        if response.text.startswith(b"* VANISHED (EARLIER) "):
            for part in response.text.rpartition(b" ")[2].split(b","):
                first, _, last = part.partition(b":")
                vanished += int(last or first) - int(first) + 1
    expect((flagged, vanished), (changes - changes // 2, changes // 2), "flags set and messages vanished")


ROWS = (
    Row("qresync-0", "SELECT with QRESYNC, nothing changed", "ms", reconnect(0)),
    Row("qresync-10", "SELECT with QRESYNC, 10 changes", "ms", reconnect(10)),
)
ROWS_OF_A_LARGE_MAILBOX = (Row("qresync-10000", "SELECT with QRESYNC, 10,000 changes", "ms", reconnect(10_000)),)
