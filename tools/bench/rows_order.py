"""Rows about order: SORT and THREAD (RFC 5256) of the whole mailbox of the round."""

import re
from collections.abc import Callable

from tools.bench.client import parse_responses
from tools.bench.material import WrongAnswer
from tools.bench.round import Round, Row, expect

NUMBER = re.compile(rb"\d+")


def order(command: str, response: bytes) -> Callable[[Round], float]:
    """Milliseconds of the command over all messages; each must be in the answer once."""

    def measure(r: Round) -> float:
        taken, answer = r.timed(r.selected, f"{command} UTF-8 ALL")
        expect(sorted(_numbers(answer, response)), list(range(1, len(r.mails) + 1)), command)
        return taken * 1000

    return measure


def _numbers(answer: bytearray, start: bytes) -> list[int]:
    for response in parse_responses(answer):
        if response.text.startswith(start):
            return [int(number) for number in NUMBER.findall(response.text)]
    raise WrongAnswer(f"no {start.decode()} response")


def _rows(name: str, command: str, response: bytes) -> tuple[Row, Row]:
    """The first time, which fills the caches, and after it."""
    measure = order(command, response)
    return (
        Row(f"{name}-cold", f"{command}, cold", "ms", measure),
        Row(name, f"{command}, warm", "ms", measure, goal=1, samples=3),
    )


ROWS = (
    *_rows("sort-date", "SORT (DATE)", b"* SORT"),
    *_rows("sort-subject", "SORT (SUBJECT)", b"* SORT"),
    *_rows("sort-from", "SORT (FROM REVERSE SIZE)", b"* SORT"),
    *_rows("thread-references", "THREAD REFERENCES", b"* THREAD"),
    *_rows("thread-refs", "THREAD REFS", b"* THREAD"),
)
