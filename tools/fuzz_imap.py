"""Fuzzes the IMAP framer and parser: any octets give events, a Command or a BadCommand, in bounded time.

    python -m tools.fuzz_imap --seconds 60 [--seed N]

Seeds are the RFCs' example commands; mutations cut, join, repeat, nest, swap and overwrite. Whatever raises something
else, or takes more than a second, is printed with its octets, and the exit status is 1.
"""

import argparse
import random
import sys
import time
import traceback
from pathlib import Path

from crockery.imap.wire.errors import BadCommand, StreamLost
from crockery.imap.wire.framer import NEED_MORE, Frame, Framer, FramerLimits, LiteralStart
from crockery.imap.wire.parser import parse_command
from crockery.imap.wire.render import render_error

EXAMPLES = Path(__file__).parents[1] / "tests" / "data" / "imap" / "rfc_examples.txt"
TOKENS = (
    b"(", b")", b"[", b"]", b"<", b">", b'"', b"\\", b"*", b"%", b"$", b",", b":", b" ", b"\r\n", b"\n", b"\r", b"\0",
    b"{5}\r\n", b"{3+}\r\n", b"~{2+}\r\n", b"{99999}\r\n", b"{2000000+}\r\n", b"NIL", b"NOT ", b"OR ", b"UID ", b"&",
    b"&AAA-", b"1:*", b"4294967295", b"18446744073709551616", b"\xff", b"\xc3\xa4", b"1.1.", b"HEADER.FIELDS (", b"=",
)  # fmt: skip
SLOW = 1.0  # seconds


def load_seeds() -> list[bytes]:
    """The example commands, as octets with their line ends."""
    lines = EXAMPLES.read_text(encoding="ascii").splitlines()
    return [line.replace("\\r\\n", "\r\n").encode("ascii") + b"\r\n" for line in lines if not line.startswith("#")]


def mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    """A few random changes to one of the seeds."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(0, 6)):
        place = chance.randint(0, len(data))
        end = min(len(data), place + chance.randint(0, 12))
        match chance.randrange(6):
            case 0:
                del data[place:end]
            case 1:
                data[place:place] = chance.choice(TOKENS)
            case 2:
                data[place:end] = chance.randbytes(end - place)
            case 3:
                data[place:place] = chance.choice(seeds)
            case 4:
                data[place:end] = data[place:end] * chance.choice((2, 3, 60))
            case 5:
                data[place:place] = chance.choice(TOKENS) * chance.choice((2, 60, 1500))
    return bytes(data)


def run_one(chance: random.Random, data: bytes) -> int:
    """Feed the octets in random pieces, as a session would; returns the number of commands read."""
    framer = Framer(FramerLimits(drain=1024 * 1024))
    utf8 = chance.random() < 0.5
    commands = 0
    position = 0
    while position < len(data):
        size = chance.choice((1, 7, 100, 100_000))
        framer.receive_data(data[position : position + size])
        position += size
        while True:
            try:
                event = framer.next_event()
                if event is NEED_MORE:
                    break
                if isinstance(event, Frame):
                    parse_command(event, utf8=utf8)
                    commands += 1
                    if chance.random() < 0.1:
                        framer.expect_line()
                elif isinstance(event, LiteralStart):
                    parse_command(event.head, utf8=utf8)
            except BadCommand as error:
                render_error(error)
                if framer.in_literal:
                    framer.refuse_literal()
                if isinstance(error, StreamLost):
                    return commands
    return commands


def fuzz(seconds: float, seed: int) -> tuple[int, int, bytes | None]:
    """Rounds made, commands read, and the octets of the first failure, whose traceback is on stderr."""
    chance = random.Random(seed)
    seeds = load_seeds()
    rounds = commands = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutate(chance, seeds)
        started = time.perf_counter()
        try:
            commands += run_one(chance, data)
        except Exception:
            traceback.print_exc()
            return rounds, commands, data
        if time.perf_counter() - started > SLOW:
            print(f"took more than {SLOW} s", file=sys.stderr)
            return rounds, commands, data
        rounds += 1
    return rounds, commands, None


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rounds, commands, failure = fuzz(options.seconds, options.seed)
    print(f"{rounds} rounds, {commands} commands read")
    if failure is None:
        return 0
    print(f"failure: {failure!r}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
