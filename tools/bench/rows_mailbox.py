"""Rows about one mailbox: filling it, selecting, reading, searching, changing."""

import re
import statistics
from collections.abc import Iterator

from tools.bench.client import Response, parse_responses
from tools.bench.material import NEEDLE, WrongAnswer
from tools.bench.round import Round, Row, expect, message_count

ENVELOPE = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
HEADER_NAMES = (b"from", b"to", b"subject", b"date")
HEADERS = "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])"
SELECTS = 20
SUBJECT_WORD = "linux"


def append(r: Round) -> float:
    return len(r.mails) / r.append_seconds


def select(r: Round) -> float:
    seconds = []
    for _ in range(SELECTS):
        r.selected.command("SELECT INBOX")
        taken, answer = r.timed(r.selected, f"SELECT {r.mailbox}")
        expect(b"* %d EXISTS\r\n" % len(r.mails) in answer, True, "EXISTS")
        seconds.append(taken)
    return statistics.median(seconds) * 1000


def fetch_flags(r: Round) -> float:
    taken, answer = r.timed(r.selected, "UID FETCH 1:* (FLAGS)")
    for _, response in fetched(answer, len(r.mails)):
        expect(b"UID " in response.text and b"FLAGS (" in response.text, True, "UID and FLAGS")
    return len(r.mails) / taken


def warm_envelope(r: Round) -> float:
    _ = r.selected
    r.settle()
    return fetch_envelope(r)


def fetch_envelope(r: Round) -> float:
    """At once after the last APPEND: cold."""
    taken, answer = r.timed(r.selected, ENVELOPE)
    for number, response in fetched(answer, len(r.mails)):
        for item in (b"UID ", b"FLAGS (", b"INTERNALDATE ", b"ENVELOPE (", b"BODYSTRUCTURE ("):
            expect(item in response.text, True, item.decode())
        size = b"RFC822.SIZE %d" % len(r.mails[number - 1])
        expect(re.search(size + rb"\b", response.text) is not None, True, f"RFC822.SIZE of {number}")
    return len(r.mails) / taken


def fetch_headers(r: Round) -> float:
    """Cold at the first call of a round (but for what ENVELOPE left in caches), warm at the second."""
    taken, answer = r.timed(r.selected, HEADERS)
    for number, response in fetched(answer, len(r.mails)):
        expect(b"".join(response.literals), wanted_headers(r.mails[number - 1]), f"header fields of {number}")
    return len(r.mails) / taken


def fetch_bodies(r: Round) -> float:
    taken, answer = r.timed(r.selected, "FETCH 1:* (BODY.PEEK[])")
    for number, response in fetched(answer, len(r.mails)):
        expect(response.literals == (r.mails[number - 1],), True, f"body of {number}")
    return len(r.mails) / taken


def search_subject(r: Round) -> float:
    taken, answer = r.timed(r.selected, f'SEARCH SUBJECT "{SUBJECT_WORD}"')
    plain = re.compile(rb"^subject:(?:[^\r]|\r\n[ \t])*%s" % SUBJECT_WORD.encode(), re.MULTILINE | re.I)
    wanted = {n for n, mail in enumerate(r.mails, 1) if plain.search(mail.partition(b"\r\n\r\n")[0])}
    expect(wanted - searched(answer), set(), "found SUBJECT")  # encoded words may hide more of them
    return taken * 1000


def search_text(r: Round) -> float:
    taken, answer = r.timed(r.selected, f'SEARCH TEXT "{NEEDLE.decode()}"')
    wanted = {n for n, mail in enumerate(r.mails, 1) if NEEDLE in mail}
    expect(searched(answer), wanted, "found TEXT")
    return taken * 1000


def search_unseen(r: Round) -> float:
    taken, answer = r.timed(r.selected, "SEARCH UNSEEN")
    expect(len(searched(answer)), len(r.mails), "found UNSEEN")
    return taken * 1000


def store_add(r: Round) -> float:
    taken, answer = r.timed(r.selected, "STORE 1:* +FLAGS (\\Flagged)")
    for _, response in fetched(answer, len(r.mails)):
        expect(b"\\Flagged" in response.text, True, "\\Flagged")
    return taken * 1000


def store_remove(r: Round) -> float:
    taken, answer = r.timed(r.selected, "STORE 1:* -FLAGS (\\Flagged)")
    for _, response in fetched(answer, len(r.mails)):
        expect(b"\\Flagged" in response.text, False, "\\Flagged")
    return taken * 1000


def copy(r: Round) -> float:
    r.selected.command(f"CREATE {r.copied}")
    taken, _ = r.timed(r.selected, f"COPY 1:* {r.copied}")
    expect(message_count(r.connect(), r.copied), len(r.mails), "messages copied")
    return taken * 1000


def expunge(r: Round) -> float:
    """Of a mailbox filled by COPY, so that the bodies have another reference."""
    imap = r.connect()
    if b"LIST" not in imap.command(f'LIST "" {r.copied}'):
        copy(r)
    imap.command(f"SELECT {r.copied}")
    imap.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    taken, answer = r.timed(imap, "EXPUNGE")
    expect(answer.count(b" EXPUNGE\r\n"), len(r.mails), "EXPUNGE responses")
    expect(message_count(r.connect(), r.copied), 0, "messages left")
    return taken * 1000


def fetched(answer: bytearray, count: int) -> Iterator[tuple[int, Response]]:
    """The FETCH responses with their message sequence numbers; WrongAnswer unless each of 1 to `count` came once."""
    numbers = set()
    for response in parse_responses(answer):
        words = response.text.split(b" ", 3)
        if len(words) == 4 and words[2] == b"FETCH":
            numbers.add(int(words[1]))
            yield int(words[1]), response
    expect(numbers == set(range(1, count + 1)), True, f"{count} FETCH responses (got {len(numbers)})")


def searched(answer: bytearray) -> set[int]:
    """The numbers of a SEARCH response."""
    for response in parse_responses(answer):
        if response.text.startswith(b"* SEARCH"):
            return {int(number) for number in response.text.split()[2:]}
    raise WrongAnswer("no SEARCH response")


def wanted_headers(mail: bytes) -> bytes:
    """The four header fields as they stand in the message, in its order, and the empty line."""
    fields = re.findall(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", mail.partition(b"\r\n\r\n")[0] + b"\r\n")
    return b"".join(f for f in fields if f.partition(b":")[0].strip().lower() in HEADER_NAMES) + b"\r\n"


READING = (
    Row("append", "APPEND, pipelined, 12 KiB mean", "mails/s", append, goal=2, more_is_better=True),
    Row("select", "SELECT", "ms", select),
    Row("flags", "UID FETCH 1:* (FLAGS)", "messages/s", fetch_flags, goal=2, more_is_better=True, samples=5),
    Row("envelope-cold", "FETCH 1:* (... ENVELOPE BODYSTRUCTURE), cold", "messages/s", fetch_envelope, 0, 0, True),
    Row("envelope", "FETCH 1:* (... ENVELOPE BODYSTRUCTURE), warm", "messages/s", warm_envelope, 5, 0, True, samples=3),
    Row("headers-cold", "FETCH 1:* BODY.PEEK[HEADER.FIELDS (...)], cold", "messages/s", fetch_headers, 0, 0, True),
    Row(
        "headers", "FETCH 1:* BODY.PEEK[HEADER.FIELDS (...)], warm", "messages/s", fetch_headers, 1, 0, True, samples=3
    ),
    Row("bodies", "FETCH 1:* BODY.PEEK[]", "messages/s", fetch_bodies, goal=2, more_is_better=True),
    Row("search-subject", "SEARCH SUBJECT word", "ms", search_subject, samples=3),
    Row("search-text", "SEARCH TEXT word", "ms", search_text, goal=1),
    Row("search-unseen", "SEARCH UNSEEN", "ms", search_unseen, samples=5),
)
CHANGING = (
    Row("store-add", "STORE 1:* +FLAGS (\\Flagged)", "ms", store_add, goal=1),
    Row("store-remove", "STORE 1:* -FLAGS (\\Flagged)", "ms", store_remove, goal=1),
    Row("copy", "COPY 1:*", "ms", copy, goal=2),
    Row("expunge", "EXPUNGE of all", "ms", expunge),
)
