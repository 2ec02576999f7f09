"""Fuzz the SMTP server protocol: whatever comes, commands or replies, never an exception, never out of step.

    python tools/fuzz_smtp.py --seconds 60 [--seed N]

Each round builds a hostile session from fragments and noise, feeds it whole and again cut at random, and compares:
the replies, the messages and the size of what is kept must not depend on the cuts. A failing round prints its octets
and its seed.
"""

import argparse
import random
import time

from crockery.smtp.wire import (
    CLOSED,
    NEED_MORE,
    Answer,
    Auth,
    AuthResponse,
    DataChunk,
    DataEnd,
    DataStart,
    Hello,
    Mail,
    Offer,
    Quit,
    Rcpt,
    ServerProtocol,
    StartTLS,
    replies,
)

MAX_KEPT = 20_000  # octets that the protocol may hold back after all was read: one unfinished line

HELLO = b"EHLO c.test\r\n"
COMMANDS = [
    line.encode() + b"\r\n"
    for line in """\
HELO c
MAIL FROM:<a@c.test>
MAIL FROM:<> SIZE=5 BODY=8BITMIME
MAIL FROM:<ä@bücher.test> SMTPUTF8
RCPT TO:<b@example.test>
RCPT TO:<"a\\"b"@[IPv6:::1]>
RCPT TO:<@a,@b:c@d>
DATA
.
..dot
Subject: x
BDAT 7
BDAT 3 LAST
BDAT 0 LAST
RSET
NOOP
VRFY x
HELP
AUTH PLAIN
AUTH LOGIN =
*
AGEAYg==""".splitlines()
]
ATOMS = [bytes([octet]) for octet in b'\r\n.\0\xff<>"\\@[]:= '] + [b"\r\n", b"\r\n.\r\n", b"x" * 3000]
FRAGMENTS = [HELLO, *COMMANDS, *COMMANDS, *ATOMS]
RARE = [b"QUIT\r\n", b"GET / HTTP/1.1\r\n", b"BDAT x\r\n", b"STARTTLS\r\n", b"x" * 20_000, b"BDAT 9999999999\r\n"]
OFFERS = [
    Offer(hostname="mx.example.test", max_size=200, max_recipients=3, max_transactions=20, max_rcpt_domains=2),
    Offer(hostname="mail.example.test", is_submission=True, starttls=True, auth_mechs=("PLAIN", "LOGIN"), max_size=200),
]

Outcome = tuple[bytes, list[bytes | None]]


def session(rng: random.Random) -> bytes:
    """The octets of one hostile client."""
    pieces = [HELLO]
    for _ in range(rng.randrange(40)):
        dice = rng.random()
        if dice < 0.85:
            pieces.append(rng.choice(FRAGMENTS))
        elif dice < 0.9:
            pieces.append(rng.choice(RARE))
        else:
            pieces.append(rng.randbytes(rng.randrange(20)))
    octets = bytearray(b"".join(pieces))
    for _ in range(rng.choice([0, 0, 0, 1, 5])):
        octets[rng.randrange(len(octets))] = rng.randrange(256)
    return bytes(octets)


def run(pieces: list[bytes], offer: Offer) -> Outcome:
    """A server that agrees to everything."""
    protocol = ServerProtocol(offer)
    sent, messages, body = b"", list[bytes | None](), b""
    for piece in pieces:
        protocol.receive_data(piece)
        while (command := protocol.next_command()) not in (NEED_MORE, CLOSED):
            match command:
                case Answer(reply):
                    sent += protocol.send(reply)
                case DataChunk(data):
                    body += data
                case DataStart():
                    body = b""
                    sent += protocol.send(replies.START_INPUT)
                case DataEnd(size, refusal):
                    assert refusal or size == len(body), "size"
                    messages.append(None if refusal else body)
                    sent += protocol.send(refusal or replies.ACCEPTED)
                case Auth():
                    sent += protocol.send(replies.challenge(b""))
                case AuthResponse():
                    sent += protocol.send(replies.AUTHENTICATED)
                case Hello():
                    sent += protocol.send(protocol.hello_reply(command))
                case StartTLS():  # what follows in the same octets is dropped, so the cuts matter: stop here
                    return sent + protocol.send(replies.TLS_UNAVAILABLE), messages
                case Mail() | Rcpt():
                    sent += protocol.send(replies.OK)
                case Quit():
                    sent += protocol.send(replies.BYE)
                case _:
                    sent += protocol.send(replies.OK)
        kept = len(protocol._framer._buffer)
        assert command is CLOSED or kept < MAX_KEPT, f"{kept} octets kept"
    return sent, messages


def cut(octets: bytes, rng: random.Random) -> list[bytes]:
    """`octets` in pieces of random length."""
    pieces, reach = [], rng.choice([1, 3, 50, 1000])
    while octets:
        size = rng.randint(1, reach)
        pieces.append(octets[:size])
        octets = octets[size:]
    return pieces


def check(octets: bytes, rng: random.Random) -> None:
    """One round: an AssertionError or any other exception is a finding."""
    for offer in OFFERS:
        whole = run([octets], offer)
        assert run(cut(octets, rng), offer) == whole, "the cuts matter"
        for message in whole[1]:
            text = (message or b"").replace(b"\r\n", b"")
            assert b"\r" not in text, "bare CR accepted"
            assert b"\n" not in text, "bare LF accepted"


def main() -> None:
    """Rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    rng = random.Random(seed)
    rounds, end = 0, time.monotonic() + options.seconds
    while time.monotonic() < end:
        octets = session(rng)
        try:
            check(octets, rng)
        except BaseException:
            print(f"seed {seed}, round {rounds}: {octets!r}")
            raise
        rounds += 1
    print(f"{rounds} sessions, seed {seed}: clean")


if __name__ == "__main__":
    main()
