"""`python -m tools.bench.run`: measures Crockery and its peer turn by turn and prints the table.

Both servers run during the whole of it, each idle while the other is measured. In each round every row is measured on
the one and then on the other, so that what else the machine does falls on both alike.
"""

import argparse
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from tools.bench.client import ImapError
from tools.bench.crockery_server import CrockeryServer
from tools.bench.material import Material, WrongAnswer
from tools.bench.peer import Peer
from tools.bench.report import Figures, Line, failures, preamble, table, write_page
from tools.bench.round import LARGE, QUICK, WORK, Round, Row, Scale, Unavailable
from tools.bench.rows import LARGE as LARGE_ROWS
from tools.bench.rows import ROWS
from tools.bench.servers import Server, ServerError
from tools.bench.smtp_load import SmtpError
from tools.corpus import CorpusError

ROW_ERRORS = (WrongAnswer, ImapError, SmtpError, ServerError, Unavailable, OSError)
PAGE = WORK.parent / "BENCHMARKS.md"


class Measurements:
    """The figures taken so far, by server and row."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._failures: dict[tuple[str, str], str] = {}

    def measure(self, key: str, row: Row, bench_round: Round) -> None:
        """Takes one figure; a failure is noted, and the row is not tried again on this server."""
        if (key, row.name) in self._failures or (row.crockery_only and key != "crockery"):
            return
        try:
            value = statistics.median(row.measure(bench_round) for _ in range(row.samples))
        except ROW_ERRORS as error:
            self._failures[key, row.name] = f"{type(error).__name__}: {error}"[:300]
            bench_round.disconnect()
            print(f"  {row.name:18} {key:9} {self._failures[key, row.name]}", flush=True)
            return
        self._values[key, row.name].append(value)
        print(f"  {row.name:18} {key:9} {value:12,.2f} {row.unit}", flush=True)

    def line(self, row: Row) -> Line:
        return Line(row, self._figures("peer", row), self._figures("crockery", row))

    def _figures(self, key: str, row: Row) -> Figures:
        return Figures(tuple(self._values[key, row.name]), self._failures.get((key, row.name), ""))


def measure_all(servers: dict[str, Server], rows: Sequence[Row], scale: Scale) -> list[Line]:
    """Starts the servers, measures all rounds, stops the servers. Raises ServerError, CorpusError."""
    material = Material(WORK / "corpus")
    measurements = Measurements()
    with ExitStack() as running:
        endpoints = {}
        for key, server in servers.items():
            running.callback(server.stop)
            endpoints[key] = server.start()
        for n in range(1, scale.rounds + 1):
            print(f"round {n} of {scale.rounds}")
            rounds = {key: Round(servers[key], endpoints[key], material, scale, n) for key in servers}
            for row in rows:
                for key, bench_round in rounds.items():
                    measurements.measure(key, row, bench_round)
            for bench_round in rounds.values():
                with suppress(*ROW_ERRORS):  # a server that is gone has failed its rows already
                    bench_round.close()
    return [measurements.line(row) for row in rows]


def parse_arguments() -> argparse.Namespace:
    names = dict.fromkeys(row.name for row in (*ROWS, *LARGE_ROWS))
    parser = argparse.ArgumentParser(prog="python -m tools.bench.run", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rows", nargs="+", metavar="ROW", choices=list(names), help="measure these alone: " + ", ".join(names)
    )
    parser.add_argument("--only", choices=("crockery", "peer"), help="measure this server alone")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="small mailboxes, one round")
    scale.add_argument("--large", action="store_true", help="the second table alone, of a large mailbox")
    parser.add_argument("--rounds", type=int, help="how often each row is measured")
    parser.add_argument("--messages", type=int, help="messages of the mailbox")
    parser.add_argument("--big-log", type=int, metavar="N", help="messages of the log for start and replay")
    parser.add_argument("--mail-fsync", choices=("optimized", "always"), default="optimized", help="Dovecot's setting")
    parser.add_argument("--write", action="store_true", help="write BENCHMARKS.md, though not all was measured in full")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Part:
    """One table of BENCHMARKS.md: its name there, how much is measured, and what."""

    name: str
    scale: Scale
    rows: Sequence[Row]


def chosen_parts(arguments: argparse.Namespace) -> list[Part]:
    """What the arguments ask for: both tables, unless they say otherwise."""
    parts = [Part("bench", QUICK if arguments.quick else Scale(), ROWS), Part("bench-large", LARGE, LARGE_ROWS)]
    if arguments.large:
        del parts[0]
    elif arguments.quick or arguments.rows:
        del parts[1]
    given = {"rounds": arguments.rounds, "mailbox": arguments.messages, "big_log": arguments.big_log}
    changed = {name: value for name, value in given.items() if value}
    return [
        Part(
            part.name,
            replace(part.scale, **changed),
            [row for row in part.rows if not arguments.rows or row.name in arguments.rows],
        )
        for part in parts
    ]


def measured(part: Part, arguments: argparse.Namespace) -> str:
    """The table of one part, as text; what could not be measured stands below it.

    The servers' folders are removed before and kept after, for their logs. Raises ServerError, CorpusError.
    """
    peer = Peer(WORK / "peer", arguments.mail_fsync)
    servers: dict[str, Server] = {"peer": peer, "crockery": CrockeryServer(WORK / "crockery")}
    if arguments.only:
        servers = {arguments.only: servers[arguments.only]}
    for key in servers:
        shutil.rmtree(WORK / key, ignore_errors=True)
    lines = measure_all(servers, part.rows, part.scale)
    text = "\n\n".join([preamble(part.scale), table(lines, peer.name)])
    problems = failures(lines, {"peer": peer.name, "crockery": CrockeryServer.name})
    return text + "".join(f"\n\nNot measured: {problem}" for problem in problems)


def main() -> None:
    """Measures what the arguments ask for; a full run goes into BENCHMARKS.md."""
    arguments = parse_arguments()
    for part in chosen_parts(arguments):
        try:
            text = measured(part, arguments)
        except (ServerError, CorpusError) as error:
            sys.exit(str(error))
        print(f"\n{text}", flush=True)
        if arguments.write or not (arguments.only or arguments.rows or arguments.quick):
            write_page(PAGE, part.name, text)


if __name__ == "__main__":
    main()
