"""Fuzzes the readers of messages: mutated mails in, and out comes a result, in time, that agrees with itself.

    python -m tools.fuzz_message [--seconds 60] [--seed N] [FOLDER]

FOLDER holds mails to start from (*.eml, *.txt, *.msg); tests/data unless given. A mail that breaks a promise is
written to the current folder as fuzz-message-SEED-ROUND.eml. A round is a function of seed and number, so that it can
be repeated.
"""

import argparse
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

from crockery.message.addresses import AddressError, parse_addresses, parse_mailboxes
from crockery.message.edit import find_bare_newline, missing_fields, remove_bcc, remove_forged
from crockery.message.envelope import render_envelope
from crockery.message.headers import field_values, header_fields, header_fields_not, header_length
from crockery.message.searched import SEPARATOR, searched
from crockery.message.structure import iterate_parts, parse_structure
from crockery.message.summary import summarize
from crockery.message.transfer import UnknownEncodingError, decode_transfer
from tools.check_corpus import check_sections, read_folder

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b"\xff", b"\xc3\xbc", b"--", b"\r\n--", b'"', b"\\", b"(", b")", b"<",
    b">", b"@", b",", b";", b":", b"=", b"=?", b"?=", b"=?utf-8?q?", b"=?gb2312?b?", b" ", b"\t", b"\r\n ", b"*0*=",
    b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", b"\r\nContent-Type: message/rfc822\r\n\r\n",
    b"\r\nContent-Transfer-Encoding: base64\r\n", b"; charset=utf-16", b"charset=hz", b"charset=utf-7", b"[", b"]",
)  # fmt: skip
SECONDS_A_MEGABYTE = 20  # generous: the machine may be busy, and quadratic time is far beyond it
MAX_LENGTH = 200_000


def mutate(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """A few cuts, repetitions, insertions and splices."""
    for _ in range(dice.randint(1, 8)):
        start = dice.randint(0, len(data))
        end = min(len(data), start + dice.choice((1, 2, 10, 100, 1000)))
        match dice.randrange(6):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:start] + data[start:end] * dice.choice((2, 3, 50)) + data[end:]
            case 2:
                data = data[:start] + dice.choice(TOKENS) * dice.choice((1, 1, 1, 2, 500)) + data[start:]
            case 3:
                data = data[:start] + dice.randbytes(end - start) + data[end:]
            case 4:
                other = dice.choice(others)
                cut = dice.randint(0, len(other))
                data = data[:start] + other[cut : cut + dice.choice((20, 500, 5000))] + data[end:]
            case _:
                data = data[:start].replace(b"\r\n", b"\n") + data[start:]
    return data[:MAX_LENGTH]


def check(data: bytes) -> None:
    """Calls every reader; AssertionError where two of them disagree, any other exception where one breaks."""
    root = parse_structure(data)
    assert summarize(data).header_length == header_length(data) == root.body_start
    assert not check_sections(data), "sections and sizes"
    assert root.envelope is not None
    render_envelope(root.envelope, utf8=True)
    for part in iterate_parts(root):
        assert part.header_start <= part.body_start <= part.body_end <= len(data)
        with suppress(UnknownEncodingError):
            decode_transfer(data[part.body_start : part.body_end], part.encoding)
        assert part.filename is None or isinstance(part.filename, str)
    for text in searched(data):
        assert not text or text.startswith(SEPARATOR)
    names = (b"From", b"To", b"Subject", b"Date")
    assert header_fields(data, names).endswith(b"\n")
    header_fields_not(data, names)
    for value in field_values(data, b"from"):
        parse_addresses(value)
        with suppress(AddressError):
            parse_mailboxes(value)
    assert not field_values(remove_bcc(data), b"bcc")
    assert not field_values(remove_forged(data, "x"), b"return-path")
    find_bare_newline(data)
    assert field_values(missing_fields(data, b"d", b"<i>") + data, b"date")


def main() -> int:
    """Runs rounds until the time is over; 1 at the first broken promise."""
    parser = argparse.ArgumentParser(description="Fuzz the readers of messages.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent.parent / "tests" / "data")
    arguments = parser.parse_args()
    mails = [data for _, data in read_folder(arguments.folder)]
    deadline = time.monotonic() + arguments.seconds
    rounds = 0
    while time.monotonic() < deadline:
        dice = random.Random(f"{arguments.seed} {rounds}")
        data = mutate(dice.choice(mails), mails, dice)
        start = time.process_time()
        try:
            check(data)
            took = time.process_time() - start
            assert took < 0.5 + SECONDS_A_MEGABYTE * len(data) / 1e6, f"{took:.1f} s for {len(data)} octets"
        except Exception:
            name = Path(f"fuzz-message-{arguments.seed}-{rounds}.eml")
            name.write_bytes(data)
            print(f"broken by {name}", file=sys.stderr)
            raise
        rounds += 1
    print(f"{rounds} rounds, seed {arguments.seed}, nothing broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
