"""The mail that is sent: real messages of the corpus, chosen with a fixed seed, each marked with its number.

The mark is a first header line, `X-Bench: 00000042`, by which a mail is found again below the trace headers that a
server puts in front. Lines over 998 octets and the corpus' own trace headers are left out: servers may alter them.
"""

import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.corpus import load_corpus

SEED = 2
MARK = b"X-Bench: "
MARK_PATTERN = re.compile(rb"^X-Bench: (\d{8})\r\n", re.MULTILINE)
NEEDLE = b"quuxblobfish"  # in no message of the corpus; put into the text of some, for SEARCH to find
NEEDLE_EVERY = 100
TRACE_HEADERS = re.compile(rb"^(?:Return-Path|Delivered-To|X-Original-To):.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE | re.I)


class WrongAnswer(Exception):
    """A server's answer is not what was asked for; the text says what differs."""


class Material:
    """The messages of the corpus that serve, and choices from them."""

    def __init__(self, directory: Path) -> None:
        self.corpus = [_without_trace(m) for m in load_corpus(directory) if max(map(len, m.split(b"\r\n"))) <= 998]

    def small_mails(self, count: int) -> list[bytes]:
        """`count` mails of 3 to 5.3 KiB, 4 KiB in the mean."""
        choice = [message for message in self.corpus if 3072 <= len(message) <= 5400]
        return mark(random.Random(SEED).choices(choice, k=count))

    def short_mails(self) -> list[bytes]:
        """All mails below 1.5 KiB, for logs of millions."""
        return [message for message in self.corpus if len(message) < 1536]

    def mailbox_mails(self, count: int) -> list[bytes]:
        """`count` mails, 12 KiB in the mean: as in the corpus, with the large ones drawn more often.

        The needle is in the text of every hundredth.
        """
        mean = sum(map(len, self.corpus)) / len(self.corpus)
        mean_by_size = sum(len(m) ** 2 for m in self.corpus) / sum(map(len, self.corpus))
        share = (12 * 1024 - mean) / (mean_by_size - mean)
        weights = [(1 - share) + share * len(message) / mean for message in self.corpus]
        mails = random.Random(SEED).choices(self.corpus, weights, k=count)
        for n in range(0, count, NEEDLE_EVERY):
            mails[n] = (
                b"From: bench@example.test\r\nSubject: a needle\r\n\r\n" + b"Here is\r\n" * 500 + NEEDLE + b"\r\n"
            )
        return mark(mails)


def mark(mails: Sequence[bytes]) -> list[bytes]:
    """Each mail with its index in a first header line."""
    return [b"%s%08d\r\n%s" % (MARK, n, mail) for n, mail in enumerate(mails)]


def check_received(received: Iterable[bytes], sent: Sequence[bytes]) -> None:
    """Raises WrongAnswer unless each mail sent came exactly once, byte for byte below the trace headers."""
    seen = set()
    for message in received:
        found = MARK_PATTERN.search(message)
        if found is None:
            raise WrongAnswer(f"a message without its mark: {message[:200]!r}")
        number = int(found[1])
        if number in seen:
            raise WrongAnswer(f"message {number} came twice")
        if number >= len(sent) or message[found.start() :] != sent[number]:
            raise WrongAnswer(f"message {number} is not what was sent")
        seen.add(number)
    if len(seen) != len(sent):
        raise WrongAnswer(f"{len(seen)} messages of {len(sent)} came")


def _without_trace(message: bytes) -> bytes:
    header, separator, body = message.partition(b"\r\n\r\n")
    return TRACE_HEADERS.sub(b"", header + b"\r\n") + separator[2:] + body
