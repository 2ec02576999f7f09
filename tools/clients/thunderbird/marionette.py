"""A client of Marionette, by which Mozilla's programs are driven: JSON over TCP, each packet led by its length."""

import json
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.crash import TIMEOUT

"""Seconds for the program to come up, and for a script to end."""


class ScriptFailed(Exception):
    """A script threw; the text is what it said."""


class Marionette:
    """A session; scripts run in the context of the program's own windows."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT + 10)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._packet()  # what it is
        self.command("WebDriver:NewSession", unhandledPromptBehavior="accept")
        self.command("WebDriver:SetTimeouts", script=int(TIMEOUT * 1000))
        self.command("Marionette:SetContext", value="chrome")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stream.close()
        self._socket.close()

    def command(self, name: str, **parameters: Any) -> Any:
        """What the command answers. Raises ScriptFailed."""
        self._number += 1
        data = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(data), data))
        _, _, error, result = self._packet()
        if error is not None:
            raise ScriptFailed(f"{error['error']}: {error['message']} {error.get('stacktrace', '')}")
        return result

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an async function returns, given `arguments`. Raises ScriptFailed with its error."""
        wrapped = (
            f"const end = arguments[arguments.length - 1];"
            f"(async (...args) => {{ {script} }})(...Array.from(arguments).slice(0, -1))"
            f".then(value => end({{value}}), error => end({{error: `${{error}} ${{error.stack}}`}}));"
        )
        answer = self.command("WebDriver:ExecuteAsyncScript", script=wrapped, args=list(arguments), newSandbox=True)
        result = answer["value"] or {}
        if "error" in result:
            raise ScriptFailed(result["error"])
        return result.get("value")

    def _packet(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            octet = self._stream.read(1)
            if not octet:
                raise ScriptFailed("Marionette closed the connection")
            length += octet
        return json.loads(self._stream.read(int(length[:-1])))


def port_of(profile: Path) -> int:
    """The port that a program which just started listens on; it writes that into its profile."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            return int((profile / "MarionetteActivePort").read_text())
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError("Marionette does not come up")
