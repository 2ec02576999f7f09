"""Writing: tables and notes for people, JSON for programs, progress bars on a terminal."""

import json
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import click

from crockery.web.words import octets

Progress = Callable[[int, int], None]

BAR_DELAY: Final = 0.5
"""Seconds that work may take before it shows a bar."""

BAR_STEP: Final = 0.05
BAR_WIDTH: Final = 30


def write_json(value: Any) -> None:
    """The answer as one JSON value."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def write_line(value: Any) -> None:
    """One of many JSON values, on a line of its own, at once."""
    click.echo(json.dumps(value, ensure_ascii=False))


def note(text: str) -> None:
    """One line for a person on stdout."""
    click.echo(text)


def hint(text: str) -> None:
    """One line beside the answer, on stderr."""
    click.echo(click.style(text, dim=True), err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), none: str = "") -> None:
    """Columns as wide as they need; `right` are those of numbers. `none` is said when there are no rows."""
    if not rows:
        hint(none)
        return
    cells = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(width(heading), *(width(row[at]) for row in cells)) for at, heading in enumerate(headings)]
    click.echo(click.style(_line(headings, widths, right).upper(), bold=True))
    for row in cells:
        click.echo(_line(row, widths, right))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for at, (cell, wide) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (wide - width(cell))
        padded.append(space + cell if at in right else cell + space)
    return "  ".join(padded).rstrip()


def pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values, one pair a line."""
    wide = max(width(name) for name, _ in rows)
    for name, value in rows:
        click.echo(click.style(name + " " * (wide - width(name)), dim=True) + "  " + _one_line(value))


def width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    text = click.unstyle(text)
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )  # fmt: skip


def shown(text: str) -> str:
    """Text that came with mail, or from a peer, safe for a terminal: no control or direction characters."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs") else "\N{REPLACEMENT CHARACTER}"
                   for c in text)  # fmt: skip


def _one_line(text: str) -> str:
    """A cell as it is, unless there are characters in it that would disturb a terminal."""
    plain = click.unstyle(text)
    return text if plain.isprintable() else shown(plain)


def when(moment: str | None, *, otherwise: str = "never") -> str:
    """A time of the API in the zone of this machine."""
    if moment is None:
        return otherwise
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(moment: str) -> str:
    """How long ago a time of the API is: "5 min", "3 h", "2 days"."""
    return _span(time.time() - datetime.fromisoformat(moment).timestamp())


def until(moment: str) -> str:
    """How long it is to a time of the API: "in 12 min", "now"."""
    left = datetime.fromisoformat(moment).timestamp() - time.time()
    return "now" if left < 1 else f"in {_span(left)}"


def _span(seconds: float) -> str:
    """A length of time in one unit, rounded down."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 2 * 86400:
        return f"{whole // 3600} h"
    return f"{whole // 86400} days"


def size(count: int) -> str:
    """A number of octets."""
    return octets(count)


@contextmanager
def reading_bar(label: str) -> Iterator[Progress]:
    """A progress function that draws a `Bar`."""
    bar = Bar(label)
    try:
        yield bar.update
    finally:
        bar.clear()


class Bar:
    """A progress bar on stderr, if that is a terminal; drawn once the work has taken a moment."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = time.monotonic()
        self._next = self._begun + BAR_DELAY
        self._is_drawn = False
        self._is_wanted = sys.stderr.isatty()

    def update(self, done: int, total: int) -> None:
        """So much is done."""
        now = time.monotonic()
        if not self._is_wanted or now < self._next:
            return
        self._next = now + BAR_STEP
        self._is_drawn = True
        part = min(done / total, 1.0) if total else 1.0
        full = int(part * BAR_WIDTH)
        left = (now - self._begun) * (1 - part) / part if part > 0.01 else 0.0
        rest = f"  {left:.0f} s left" if left >= 1 else ""
        bar = click.style("━" * full, fg="green") + click.style("━" * (BAR_WIDTH - full), dim=True)
        columns = shutil.get_terminal_size().columns
        text = f"{self._label}  {bar} {part:4.0%}{rest}"
        if width(text) < columns:
            click.echo("\r\x1b[K" + text, err=True, nl=False)

    def clear(self) -> None:
        """Take it away; harmless when repeated."""
        if self._is_drawn:
            self._is_drawn = False
            click.echo("\r\x1b[K", err=True, nl=False)
