"""The `crockery` command in this process, on a log that is served (in a thread) or is not."""

import contextlib
import io
import json
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from crockery.app import Options, Server, run
from crockery.cli import main
from tests.support.server import CHEAP
from tests.support.waiting import PATIENCE


@dataclass(frozen=True, slots=True)
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command with --json."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The answer of a command with --json that gives one value a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def crockery(*arguments: str, log: Path | None = None, stdin: str = "") -> Result:
    """Do one command, with no terminal anywhere."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    command = [*(("--log", str(log)) if log is not None else ()), *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _exit_code(command)
    finally:
        sys.stdin = before
    return Result(code, out.getvalue(), err.getvalue())


def _exit_code(command: list[str]) -> int:
    try:
        return main.run(command)
    except SystemExit as end:
        return int(end.code or 0)


@contextlib.contextmanager
def serving(log: Path) -> Iterator[Server]:
    """The log's server, in a thread of its own."""
    started = threading.Event()
    found: list[Any] = []

    def on_started(server: Server) -> None:
        found.extend((server, trio.lowlevel.current_trio_token()))
        started.set()

    async def serve() -> None:
        options = Options(log, ("127.0.0.1",), any_port=True, hasher=CHEAP, snapshot=False, world=None)
        await run(options, on_started=on_started)

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    try:
        assert started.wait(PATIENCE), "the server did not start"
        yield found[0]
    finally:
        if found:
            found[1].run_sync_soon(found[0].stop)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server did not stop"


_VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"\b(?:[a-z2-7]{4}-){5}[a-z2-7]{4}\b"), "<password>"),
    (re.compile(r"\buser [\w.-]+ over"), "user <user> over"),
    (re.compile(r"(?m)^(<time>) +\d+"), r"\1 <number>"),
)


def steady(text: str, folder: Path) -> str:
    """The text without what differs from run to run."""
    text = text.replace(str(folder), "<dir>")
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.splitlines())
