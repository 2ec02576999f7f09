"""Crockery under test: one log below one directory, made with `init`, served with `run` on ports of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port_offset
from tools.bench.servers import (
    ACCOUNTS,
    DOMAIN,
    HOST,
    START_TIMEOUT,
    Endpoints,
    ServerError,
    end_process,
    size_of_tree,
    wait_for_greeting,
)

SMTP, IMAP, IMAPS = 25, 143, 993


class CrockeryServer:
    """Crockery with its log at `directory/bench.crk`; `options` are more options of `run`."""

    name = "Crockery"

    def __init__(
        self, directory: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._options = options
        self._environment = {**os.environ, **(environment or {})}
        self.log = directory / "bench.crk"
        self.derived = directory / "bench.crk.d"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Endpoints:
        """Makes log and accounts at the first start, then runs it; returns when SMTP and IMAP answer."""
        if not self.log.exists():
            self.initialise()
        return self.run()

    def initialise(self) -> None:
        """Makes the log with the accounts of the benchmark. Raises ServerError."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self.command("init", str(self.log), "--domain", DOMAIN, "--postmaster-password", "bench-postmaster")
        for account in ACCOUNTS:
            self.command("account", "add", account.user, "--password", account.password, "--log", str(self.log))

    def run(self, timeout: float = START_TIMEOUT) -> Endpoints:
        """Runs it on the log that is there; returns when SMTP and IMAP answer. Raises ServerError."""
        offset = free_port_offset()
        arguments = ["run", str(self.log), "--bind", HOST, "--port-offset", str(offset), *self._options]
        with open(self._directory / "crockery.out", "ab") as output:
            process = subprocess.Popen(
                [crockery_program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )
        self._process = process
        wait_for_greeting(offset + IMAP, process, timeout)
        wait_for_greeting(offset + SMTP, process, timeout)
        return Endpoints(offset + SMTP, offset + IMAP, offset + IMAPS, ACCOUNTS, (process.pid,))

    def stop(self) -> None:
        if self._process is not None:
            end_process(self._process)
            self._process = None

    def disk_usage(self) -> int:
        """Octets of the log and of all that is derived from it."""
        return self.log.stat().st_size + size_of_tree(self.derived)

    def mail_usage(self) -> int:
        """Octets of the log."""
        return self.log.stat().st_size

    def drop_snapshot(self) -> None:
        """Deletes the snapshot, so that the next start replays everything from the copy of the facts."""
        (self.derived / "snapshot").unlink(missing_ok=True)

    @contextmanager
    def without_derived(self) -> Iterator[None]:
        """Puts aside all that is derived from the log, so that a start replays the log itself."""
        aside = self.derived.with_suffix(".aside")
        self.derived.rename(aside)
        try:
            yield
        finally:
            shutil.rmtree(self.derived, ignore_errors=True)
            aside.rename(self.derived)

    def command(self, *arguments: str) -> None:
        """Runs a command that needs no answer. Raises ServerError."""
        done = subprocess.run([crockery_program(), *arguments], capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
            raise ServerError(f"crockery {arguments[0]}: {reason}")


def crockery_program() -> str:
    """The `crockery` command of the environment this program runs in."""
    program = Path(sys.executable).parent / "crockery"
    if not program.exists():
        raise ServerError(f"{program} is missing: run `make` first, or use the Python of .venv.")
    return str(program)
