"""What passes between a program and the server, written down as a transcript of tests/dialogs: `--wire FOLDER`.

The recorder stands between the two: it ends the program's TLS with the server's own certificate, and speaks TLS to the
server. Where they agree on COMPRESS=DEFLATE, it reads through that too. Lines of the program begin with `C: `, those of
the server with `S: `; of long lines and literals the beginning is shown.
"""

import contextlib
import functools
import re
import ssl
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from tools.crash import TIMEOUT

LONGEST: Final = 2000  # octets shown of a line, and of a literal
LITERAL: Final = re.compile(rb".*\{(?P<size>[0-9]+)\+?\}\r\n", re.DOTALL)
COMPRESSING: Final = re.compile(rb"(?P<tag>\S+) COMPRESS DEFLATE\r\n", re.IGNORECASE)


@dataclass
class Transcript:
    """One connection, written down line by line."""

    path: Path
    rest: dict[str, bytes] = field(default_factory=lambda: {"C": b"", "S": b""})
    literal: dict[str, int] = field(default_factory=lambda: {"C": 0, "S": 0})
    """Octets still to come of a literal."""
    hidden: int = 0
    inflaters: "dict[str, zlib._Decompress]" = field(default_factory=dict)
    compressing: bytes = b""
    """The tag of COMPRESS, while its answer is awaited."""

    def pass_by(self, side: str, data: bytes) -> None:
        """Write down the lines that `data` ends; `side` is C or S."""
        self.rest[side] += self._inflated(side, data)
        while b"\n" in self.rest[side]:
            line, _, rest = self.rest[side].partition(b"\n")
            self.rest[side] = rest
            self._pass_line(side, line + b"\n")

    def _pass_line(self, side: str, line: bytes) -> None:
        left = self.literal[side]
        self.literal[side] = max(0, left - len(line))
        if self.literal[side] > LONGEST:
            self.hidden += 1
            return
        if self.hidden:
            self._write(side, b"[... %d lines]" % self.hidden)
            self.hidden = 0
        self._write(side, line)
        if left < len(line):
            if found := LITERAL.fullmatch(line):
                self.literal[side] = int(found["size"])
            self._notice_compression(side, line)

    def _inflated(self, side: str, data: bytes) -> bytes:
        return self.inflaters[side].decompress(data) if side in self.inflaters else data

    def _notice_compression(self, side: str, line: bytes) -> None:
        if side == "C" and (found := COMPRESSING.fullmatch(line)):
            self.compressing = found["tag"]
        elif side == "S" and self.compressing and line.startswith(self.compressing + b" "):
            if line.startswith(self.compressing + b" OK"):
                self.inflaters = {side: zlib.decompressobj(-zlib.MAX_WBITS) for side in "CS"}
                self.rest = {side: self._inflated(side, rest) for side, rest in self.rest.items()}
            self.compressing = b""

    def _write(self, side: str, line: bytes) -> None:
        text = line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]} [... {len(text)} in all]"
        with self.path.open("a", encoding="utf-8") as out:
            out.write(f"{side}: {text}\n")


@dataclass
class Recorder:
    """The ports that stand for the server's, and where transcripts go. `label` begins the names of their files."""

    folder: Path
    chain: Path
    key: Path
    ca: Path
    host: str
    label: str = "wire"
    ports: dict[int, int] = field(default_factory=dict)
    """The recorder's port by the server's."""
    count: int = 0

    async def _serve(self, far: int, stream: trio.SSLStream[trio.SocketStream]) -> None:
        self.count += 1
        transcript = Transcript(self.folder / f"{self.label}-{self.count:02}-{far}.txt")
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            server = await trio.open_ssl_over_tcp_stream(self.host, far, ssl_context=context)
        except OSError:  # it is not up
            await trio.aclose_forcefully(stream)
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pump, "C", stream, server, transcript)
            nursery.start_soon(_pump, "S", server, stream, transcript)

    async def _run(self, ports: list[int], ready: threading.Event) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        async with trio.open_nursery() as nursery:
            for port in ports:
                serve = functools.partial(
                    trio.serve_ssl_over_tcp, functools.partial(self._serve, port), 0, context, host="127.0.0.1"
                )
                (listener,) = await nursery.start(serve)
                self.ports[port] = listener.transport_listener.socket.getsockname()[1]
            ready.set()


async def _pump(side: str, source: trio.abc.Stream, target: trio.abc.Stream, transcript: Transcript) -> None:
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while data := bytes(await source.receive_some(65536)):
            transcript.pass_by(side, data)
            await target.send_all(data)
    await trio.aclose_forcefully(target)
    await trio.aclose_forcefully(source)


@contextlib.contextmanager
def recording(recorder: Recorder, ports: list[int]) -> Iterator[Recorder]:
    """Stand before the server's TLS ports, in a thread that ends with the process."""
    recorder.folder.mkdir(parents=True, exist_ok=True)
    ready = threading.Event()
    threading.Thread(target=trio.run, args=(recorder._run, ports, ready), daemon=True).start()
    if not ready.wait(TIMEOUT):
        raise TimeoutError("the recorder does not come up")
    yield recorder
