"""What a server under test offers, and what can be read about its processes from /proc.

Both servers listen on 127.0.0.1 alone, on free ports, and keep everything in one directory of their own, which is
empty when they are first started.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DOMAIN = "example.test"
HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds; a replay of ten million events has its own
START_POLL = 0.005  # seconds between two looks whether a port answers


class ServerError(Exception):
    """A server did not start or stop; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """A login name with its password; the name is the mail address too."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running server listens (ports on 127.0.0.1), who may log in, and the processes it grew from."""

    smtp: int
    imap: int
    imaps: int
    accounts: tuple[Account, ...]
    roots: tuple[int, ...]

    @property
    def user(self) -> str:
        return self.accounts[0].user

    @property
    def password(self) -> str:
        return self.accounts[0].password


class Server(Protocol):
    """A mail server that can be started afresh, stopped, and weighed."""

    name: str

    def start(self) -> Endpoints:
        """Starts on the data kept, or on none; returns when SMTP and IMAP answer. Raises ServerError."""

    def stop(self) -> None:
        """Stops it and waits for its end; harmless if it does not run."""

    def disk_usage(self) -> int:
        """Octets of all files that hold its mail, what it derives from them included."""

    def mail_usage(self) -> int:
        """The same without indexes, caches and the like."""


ACCOUNTS = tuple(Account(f"user{n}@{DOMAIN}", f"bench-password-{n}") for n in range(10))


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody listens on now."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def wait_for_greeting(port: int, process: subprocess.Popen[bytes], timeout: float = START_TIMEOUT) -> None:
    """Returns when a connection to `port` is greeted; raises ServerError if the process ends or time is up."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"{process.args!r} ended with status {process.returncode}; see its log in bench-work.")
        try:
            with socket.create_connection((HOST, port), timeout=timeout) as sock:
                if sock.recv(1):
                    return
        except OSError:
            time.sleep(START_POLL)
    raise ServerError(f"Nothing answered on port {port} within {timeout:.0f} s.")


def end_process(process: subprocess.Popen[bytes], timeout: float = 30.0) -> None:
    """SIGTERM, and SIGKILL if the process does not end within `timeout` seconds."""
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def process_tree(roots: Iterable[int]) -> set[int]:
    """The processes named and all that descend from them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it has ended meanwhile
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    tree = set(roots)
    while True:
        found = {pid for pid, parent in parents.items() if parent in tree and pid not in tree}
        if not found:
            return tree
        tree |= found


def resident_memory(roots: Iterable[int]) -> int:
    """Octets of memory the processes hold, a page shared by n of them counted 1/n in each (Pss).

    Rss would count the libraries once for each of the peer's many processes, to its disadvantage.
    """
    total = 0
    for pid in process_tree(roots):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total * 1024


def size_of_tree(directory: Path) -> int:
    """Octets of all files below `directory`, by their length."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(directory) for name in names
    )
