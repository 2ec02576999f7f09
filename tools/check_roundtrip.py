"""Sends mail in over SMTP and by APPEND to a real server, fetches it, and compares every octet.

    python -m tools.check_roundtrip             all mails of tools.corpus
    python -m tools.check_roundtrip FOLDER      *.eml, *.txt and *.msg below a folder

By APPEND a message must come back as it is; over SMTP below the trace fields, without the fields that only the server
may write (Return-Path, its own Authentication-Results), and below an empty line where it has no header. RFC822.SIZE
must be right, ENVELOPE and BODYSTRUCTURE as `tools.imap_reading` reads the mail, BODY[HEADER] and BODY[TEXT] halves.
"""

import re
import smtplib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tools.bench.client import Imap, parse_responses
from tools.bench.servers import Account, Endpoints
from tools.check_corpus import read_folder
from tools.clients.served import DOMAIN, Served, below_trace, serving
from tools.corpus import named_corpus
from tools.crash import PASSWORD
from tools.imap_reading import differences, read_fetch

ITEMS: Final = "(UID RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])"
SLICE: Final = 200
"""Messages fetched at a time."""

FIELD: Final = rb"%s[ \t]*:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*"
OURS: Final = re.compile(
    b"|".join((FIELD % b"Return-Path", FIELD % rb"Authentication-Results(?=[ \t]*:\s*mail\.example\.test\b)")),
    re.IGNORECASE,
)
FIRST_LINE: Final = re.compile(rb"[!-9;-~]+[ \t]*:|From |\r\n")
"""A header begins so (an mbox file's line in front is let pass), or with its end."""


def as_delivered(message: bytes) -> bytes:
    """What is to be found below the trace fields of a message that came over SMTP."""
    if not message.endswith(b"\r\n"):
        message += b"\r\n"  # DATA takes whole lines
    if not FIRST_LINE.match(message):
        return b"\r\n" + message
    header, end, body = message.partition(b"\r\n\r\n")
    fields = re.findall(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", header.removesuffix(b"\r\n") + b"\r\n")
    return b"".join(field for field in fields if not OURS.fullmatch(field)) + end[2:] + body


def send_all(served: Served, address: str, messages: Sequence[bytes]) -> Iterator[int]:
    """Send them to the MX port; yields the number of each as the reply tells it."""
    with smtplib.SMTP("127.0.0.1", served.port(25), timeout=60) as client:
        client.ehlo("client.test")
        for message in messages:
            client.mail("sender@elsewhere.test", ["BODY=8BITMIME"])
            client.rcpt(address)
            code, reply = client.data(message)
            number = re.search(rb"accepted as (\d+)", reply)
            if code != 250 or number is None:
                raise ValueError(f"DATA: {code} {reply!r} to {message[:200]!r}")
            yield int(number[1])


def fetch_all(imap: Imap, count: int) -> Iterator[dict[str, object]]:
    """All messages of the mailbox selected, in order."""
    for first in range(1, count + 1, SLICE):
        answer = imap.command(f"UID FETCH {first}:{min(first + SLICE - 1, count)} {ITEMS}")
        yield from map(read_fetch, parse_responses(answer))


def check(served: Served, messages: Sequence[tuple[str, bytes]], *, read: bool = True) -> Iterator[str]:
    """Both ways with accounts of their own; yields the differences. `read`: compare with `email`'s reading too."""
    octets = [message for _, message in messages]
    for name in ("by-smtp", "by-append"):
        name += "" if read else "-damaged"
        served.account(name)
        endpoints = Endpoints(served.port(25), served.port(143), served.port(993), (Account(name, PASSWORD),), ())
        with Imap(endpoints).login() as imap:
            numbers: list[int] = []
            if name.startswith("by-smtp"):
                numbers += send_all(served, f"{name}@{DOMAIN}", octets)
            else:
                imap.append_all("INBOX", octets)
            imap.command("SELECT INBOX")
            fetched = list(fetch_all(imap, len(octets)))
        if len(fetched) != len(octets):
            yield f"{name}: {len(fetched)} messages of {len(octets)}"
        for place, items in enumerate(fetched):
            label, message = messages[place]
            found = items["BODY[]"]
            assert isinstance(found, bytes)
            if numbers and not re.search(rb"\sid %d\s" % numbers[place], found[:2000]):
                yield f"{name} {label}: not the number that was told"
            wanted, seen = (as_delivered(message), below_trace(found)) if numbers else (message, found)
            # The message itself may begin with trace fields
            if not found.endswith(wanted) or below_trace(wanted) != below_trace(seen):
                yield f"{name} {label}: other octets"
            wrong = [*_check_items(found, items), *(differences(found, items) if read else ())]
            yield from (f"{name} {label}: {sentence}" for sentence in wrong)


def _check_items(found: bytes, items: dict[str, object]) -> Iterator[str]:
    if items["RFC822.SIZE"] != len(found):
        yield f"RFC822.SIZE {items['RFC822.SIZE']} of {len(found)} octets"
    header, text = items["BODY[HEADER]"], items["BODY[TEXT]"]
    assert isinstance(header, bytes) and isinstance(text, bytes)
    if header + text != found:
        yield f"BODY[HEADER] and BODY[TEXT] have {len(header)} and {len(text)} of {len(found)} octets"


def main() -> int:
    """Prints the differences and how many there are; 1 if any."""
    if len(sys.argv) > 2:
        print(__doc__, file=sys.stderr)
        return 2
    messages = list(read_folder(Path(sys.argv[1]))) if len(sys.argv) == 2 else named_corpus()
    begun, count = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="crockery-roundtrip-") as folder, serving(Path(folder)) as served:
        for difference in check(served, messages):
            count += 1
            print(difference)
        served.command("verify")
    print(f"{len(messages)} messages, twice, in {time.monotonic() - begun:.0f} s: {count} differences")
    return 1 if count or not messages else 0


if __name__ == "__main__":
    sys.exit(main())
