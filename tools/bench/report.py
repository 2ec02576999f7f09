"""The table: to the terminal, and between the marks in BENCHMARKS.md.

Each figure stands as its median with the least and the greatest of the rounds; the ratio is that of the medians, more
than 1 where Crockery is faster or smaller.
"""

import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench.round import Row, Scale

BEGIN = "<!-- {}:begin (written by tools/bench) -->"
END = "<!-- {}:end -->"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rounds gave for one row on one server, or why they gave nothing."""

    values: tuple[float, ...] = ()
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        if self.failure:
            return "failed"
        if not self.values:
            return "-"
        if len(self.values) == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(min(self.values))} - {number(max(self.values))})"


@dataclass(frozen=True, slots=True)
class Line:
    """One row measured."""

    row: Row
    peer: Figures
    crockery: Figures

    @property
    def ratio(self) -> float | None:
        if self.peer.values and self.crockery.values:
            return self.row.times_as_good(self.crockery.median, self.peer.median)
        return None

    def verdict(self) -> str:
        """The goal of design.md, and whether it is reached; empty if there is none."""
        row = self.row
        if row.goal:
            reached = None if self.ratio is None else self.ratio >= row.goal
            wanted = f"{row.goal:g}x"
        elif row.limit:
            enough = [v >= row.limit if row.more_is_better else v <= row.limit for v in self._median_of_crockery()]
            reached = enough[0] if enough else None
            wanted = f"{'>=' if row.more_is_better else '<='} {row.limit:,g}"
        else:
            return ""
        return wanted + {None: "", True: ", reached", False: ", **not reached**"}[reached]

    def cells(self) -> list[str]:
        ratio = "" if self.ratio is None else f"{number(self.ratio)}x"
        return [self.row.title, self.row.unit, str(self.peer), str(self.crockery), ratio, self.verdict()]

    def _median_of_crockery(self) -> list[float]:
        return [self.crockery.median] if self.crockery.values else []


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(lines: Sequence[Line], peer_name: str) -> str:
    """A Markdown table whose columns are aligned, for the terminal too."""
    cells = [["work", "unit", peer_name, "Crockery", "times as good", "goal"], *(line.cells() for line in lines)]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells)


def preamble(scale: Scale) -> str:
    """Where, when and with how much the table was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    now = datetime.datetime.now(datetime.UTC)
    return (
        f"Measured on {now:%Y-%m-%d %H:%M} UTC at commit {_output('git', 'rev-parse', '--short', 'HEAD')}: "
        f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; Postfix {_output('postconf', '-dh', 'mail_version')}, "
        f"Dovecot {_output('dovecot', '--version').partition(' ')[0]}. "
        f"Rounds: {scale.rounds}, the servers taking turns row by row; each figure is the median, with the least "
        f"and the greatest in brackets. Mailbox: {scale.mailbox:,} messages; SMTP: {scale.smtp_mails:,} mails "
        f"({scale.smtp_mails_single:,} with one session); large log: {scale.big_log:,} messages. "
        f"Memory is Pss, shared pages divided among those who share them."
    )


def write_page(page: Path, name: str, text: str) -> None:
    """Puts `text` between the marks of this name on the page; page and marks are made if they are not there."""
    begin, end = BEGIN.format(name), END.format(name)
    old = page.read_text() if page.exists() else "# Benchmarks\n"
    if begin not in old or end not in old:
        old += f"\n{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def failures(lines: Sequence[Line], names: Mapping[str, str]) -> list[str]:
    """A sentence for each figure that could not be had."""
    return [
        f"{line.row.name}, {names[key]}: {figures.failure}"
        for line in lines
        for key, figures in (("peer", line.peer), ("crockery", line.crockery))
        if figures.failure
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "?"
