"""Reaching a log: by its server's socket, or in this process.

`Control.ask` sends one request of the control API and returns its answer, `lines` one that is answered by many values.
Both raise CommandFailed with the API's sentence.
"""

import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from crockery.cli.errors import CommandFailed
from crockery.events.errors import LogLocked
from crockery.limits import COMMAND_BUSY_STEP, COMMAND_BUSY_WAIT
from crockery.web.control.address import short_path, socket_path


class ServerGone(Exception):
    """The server ended while it answered."""


class Control(Protocol):
    """A log that can be asked."""

    is_running: bool
    """A server answers."""

    def ask(self, method: str, *path: str, query: Mapping[str, str] = ..., **body: Any) -> Any:
        """One request; its answer. `path` are segments, unescaped. Raises CommandFailed."""

    def lines(self, method: str, *path: str, query: Mapping[str, str] = ...) -> Iterator[Any]:
        """One request; the values of its answer as they come. Raises CommandFailed, ServerGone."""


@contextmanager
def open_control(log: Path, command: str) -> Iterator[Control]:
    """The running server's API, or the log itself; `command` is what the log will tell of it. Raises CommandFailed."""
    deadline = time.monotonic() + COMMAND_BUSY_WAIT
    while True:
        connection = connect(log)
        if connection is not None:
            try:
                yield Remote(connection, command)
            finally:
                connection.close()
            return
        try:
            from crockery.cli.local import Local  # all that it needs takes a while to import

            local = Local(log, command)
        except LogLocked as error:
            if time.monotonic() > deadline:
                raise CommandFailed(
                    f"{log} is in use by another command, or by a server that has no socket at {socket_path(log)}: "
                    "wait for it, or stop it"
                ) from error
            time.sleep(COMMAND_BUSY_STEP)
            continue
        try:
            yield local
        finally:
            local.close()
        return


def connect(log: Path) -> "_UnixConnection | None":
    """A connection to the server of this log; None: none runs. Raises CommandFailed."""
    path = socket_path(log)
    if not path.exists():
        return None
    connection = _UnixConnection(path)
    try:
        connection.connect()
    except PermissionError as error:
        connection.close()
        raise CommandFailed(
            f"this user may not give commands to the server ({path}): use the one that runs it, as with `sudo -u`"
        ) from error
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return None
    return connection


def is_served(log: Path) -> bool:
    """Whether a server of this log answers. Raises CommandFailed."""
    connection = connect(log)
    if connection is not None:
        connection.close()
    return connection is not None


class _UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_path(self._path) as name:
            self.sock.connect(name)


class Remote:
    """The API of the running server."""

    is_running = True

    def __init__(self, connection: http.client.HTTPConnection, command: str) -> None:
        self._connection = connection
        self._headers = {"User-Agent": command, "Content-Type": "application/json"}

    def ask(self, method: str, *path: str, query: Mapping[str, str] | None = None, **body: Any) -> Any:
        with self._answered(method, path, query, body) as response:
            return json.loads(response.read())

    def lines(self, method: str, *path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        with self._answered(method, path, query, {}) as response:
            for line in response:
                yield json.loads(line)

    @contextmanager
    def _answered(
        self, method: str, path: tuple[str, ...], query: Mapping[str, str] | None, body: Mapping[str, Any]
    ) -> Iterator[http.client.HTTPResponse]:
        wanted = target(path) + (f"?{urlencode(query)}" if query else "")
        try:
            self._connection.request(method, wanted, json.dumps(body) if body else None, self._headers)
            response = self._connection.getresponse()
            if response.status != 200:
                raise CommandFailed(_error_message(response.read()))
            yield response
        except (http.client.HTTPException, ConnectionError, ValueError) as error:
            raise ServerGone("the server stopped while it answered: try again") from error


def target(path: tuple[str, ...]) -> str:
    """The path of a request, from its unescaped segments."""
    return "/v1/" + "/".join(quote(segment, safe="") for segment in path)


def _error_message(body: bytes) -> str:
    message: str = json.loads(body)["error"]["message"]
    return message
