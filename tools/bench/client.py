"""An IMAP client that costs little: raw sockets, whole answers read before anything in them is looked at.

`Imap.command` returns the octets of all untagged responses up to the tagged one; while they come only the last line is
looked at. `parse_responses` takes them apart afterwards, when the clock has stopped. A tag is random, so that no mail
can hold what looks like the end of an answer.
"""

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.bench.servers import HOST, Endpoints

READ_SIZE = 1 << 20  # octets asked of the socket at once
ROOM = 1 << 20  # octets of memory that is ready for answers at first
TIMEOUT = 300.0  # seconds without a single octet, after which a server counts as stuck
LITERAL_AT_END = re.compile(rb"~?\{(\d+)\+?\}\Z")


class ImapError(Exception):
    """The server refused a command, closed the connection, or answered what is not IMAP."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response line: its text, with `{n}` CRLF where a literal stood, and the literals in their order."""

    text: bytes
    literals: tuple[bytes, ...] = ()


def parse_responses(data: bytes | bytearray) -> Iterator[Response]:
    """The responses in `data`, which must end with a whole one. Raises ImapError."""
    position = 0
    while position < len(data):
        text = b""
        literals = []
        while True:
            end = data.find(b"\r\n", position)
            if end < 0:
                raise ImapError(f"a response without its end: {bytes(data[position : position + 100])!r}")
            line = bytes(data[position:end])
            position = end + 2
            text += line
            literal = LITERAL_AT_END.search(line)
            if literal is None:
                break
            size = int(literal[1])
            if position + size > len(data):
                raise ImapError("a literal longer than the answer")
            literals.append(bytes(data[position : position + size]))
            position += size
            text += b"\r\n"
        yield Response(text, tuple(literals))


def client_tls() -> ssl.SSLContext:
    """A context that takes any certificate: speed is measured, not trust."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Imap:
    """One connection, logged in unless told otherwise. A command that is not answered OK raises ImapError."""

    def __init__(self, server: Endpoints, tls: ssl.SSLContext | None = None, account: int = 0) -> None:
        self._account = server.accounts[account]
        port = server.imaps if tls else server.imap
        self.socket: socket.socket = socket.create_connection((HOST, port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self._answer = bytearray()
        self._room = bytearray(ROOM)
        self._tag = os.urandom(6).hex().encode()
        self._greeting = self.socket.recv(READ_SIZE)
        if not self._greeting.startswith(b"* OK"):
            raise ImapError(f"greeting: {self._greeting!r}")

    def __enter__(self) -> "Imap":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def login(self) -> "Imap":
        """LOGIN with the account chosen; returns itself."""
        self.command(f'LOGIN "{self._account.user}" "{self._account.password}"')
        return self

    def command(self, command: str) -> bytearray:
        """Sends one command and returns all octets before its tagged response, which must be OK."""
        self.socket.sendall(b"%s %s\r\n" % (self._tag, command.encode()))
        return self._checked(command, self._read_until(self._is_answered))

    def make_room(self, octets: int) -> None:
        """Has memory ready for answers of that size. Fresh pages cost more than all else that a client does."""
        self._room = bytearray(b"x") * octets

    def timed(self, command: str) -> tuple[float, bytearray]:
        """As `command`, with the seconds until the last octet had come into memory that was ready."""
        start = time.perf_counter()
        self.socket.sendall(b"%s %s\r\n" % (self._tag, command.encode()))
        size = 0
        while not size or not self._ends_with_tagged(size):
            if size == len(self._room):
                self._room += bytes(size)
            with memoryview(self._room) as room:
                received = self.socket.recv_into(room[size:])
            if not received:
                raise ImapError("the server closed the connection")
            size += received
        taken = time.perf_counter() - start
        return taken, self._checked(command, self._room[:size])

    def _ends_with_tagged(self, size: int) -> bool:
        room = self._room
        before = room.rfind(b"\r\n", 0, size - 2)
        return room.endswith(b"\r\n", 0, size) and room.startswith(self._tag, before + 2 if before >= 0 else 0)

    def _checked(self, command: str, answer: bytearray) -> bytearray:
        """An answer without its tagged response, which must be OK."""
        start = _last_line(answer)
        status = answer[start + len(self._tag) + 1 :]
        if not status.startswith(b"OK"):
            raise ImapError(f"{command[:100]}: {bytes(status[:200])!r}")
        del answer[start:]
        return answer

    def begin(self, command: str) -> None:
        """Sends one command; `proceed` reads its answer. For clients driven over a selector."""
        self._answer = bytearray()
        self.socket.sendall(b"%s %s\r\n" % (self._tag, command.encode()))

    def proceed(self) -> bool:
        """Reads what has come. Returns whether the command is answered; raises ImapError unless with OK."""
        self._answer += self._receive()
        if not self._is_answered(self._answer):
            return False
        status = self._answer[_last_line(self._answer) + len(self._tag) + 1 :]
        if not status.startswith(b"OK"):
            raise ImapError(bytes(status[:200]).decode("utf-8", "replace"))
        return True

    def append_all(self, mailbox: str, messages: Sequence[bytes]) -> None:
        """APPENDs all messages, pipelined with non-synchronising literals (LITERAL+)."""
        stream = b"".join(
            b"%s APPEND %s {%d+}\r\n%s\r\n" % (self._tag, mailbox.encode(), len(message), message)
            for message in messages
        )
        good, line = b"\r\n%s OK" % self._tag, b"\r\n%s " % self._tag
        sender = threading.Thread(target=self.socket.sendall, args=(stream,), daemon=True)
        sender.start()
        answered, rest = 0, b"\r\n"
        while answered < len(messages):
            rest += self._receive()
            whole = rest.rfind(b"\r\n")
            lines, rest = rest[: whole + 2], rest[whole:]
            answered += lines[:-2].count(line)
            if lines[:-2].count(line) != lines[:-2].count(good):
                raise ImapError(f"APPEND: {lines[:300]!r}")
        sender.join()

    def idle(self) -> None:
        """Enters IDLE; returns when the server has confirmed it."""
        self.socket.sendall(b"%s IDLE\r\n" % self._tag)
        self._read_until(lambda data: b"+ " in data and data.endswith(b"\r\n"))

    def wait_for_exists(self) -> None:
        """In IDLE: returns when EXISTS has come."""
        self._read_until(lambda data: b" EXISTS\r\n" in data)

    def done(self) -> None:
        """Leaves IDLE."""
        self.socket.sendall(b"DONE\r\n")
        self._read_until(self._is_answered)

    def _is_answered(self, data: bytearray) -> bool:
        return data.endswith(b"\r\n") and data.startswith(self._tag, _last_line(data))

    def _read_until(self, complete: Callable[[bytearray], bool]) -> bytearray:
        data = bytearray()
        while not complete(data):
            data += self._receive()
        return data

    def _receive(self) -> bytes:
        received = self.socket.recv(READ_SIZE)
        if not received:
            raise ImapError("the server closed the connection")
        return received


def _last_line(data: bytearray) -> int:
    """Where the last line of `data`, which ends with CRLF, begins."""
    before = data.rfind(b"\r\n", 0, len(data) - 2)
    return before + 2 if before >= 0 else 0
