"""The control API on a Unix socket: HTTP/1.1 (RFC 9112) by h11, one task a connection, JSON both ways.

Whoever can open the socket (0600: its owner, root) is the postmaster. An answer leaves when what it tells is durable.
Answers of many lines (newline-delimited JSON) are read from the log in a thread and sent in chunks.
"""

import json
import logging
import os
import secrets
import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import h11
import trio

from crockery.actions.actor import Actor
from crockery.events.errors import LogFailed
from crockery.events.log import Appended
from crockery.events.writer import Writer
from crockery.limits import (
    CONTROL_BODY_MAX,
    CONTROL_CONNECTIONS,
    CONTROL_HEADER_MAX,
    CONTROL_LINES,
    CONTROL_TIMEOUT,
)
from crockery.net.passwords import PasswordHasher
from crockery.web.control.address import short_path, socket_path, user_name
from crockery.web.control.chronicle import Chronicle
from crockery.web.control.errors import ControlError, as_control_error, bad_request
from crockery.web.control.journal import log_lines
from crockery.web.control.request import Context, Json, Lines, Request
from crockery.web.control.routes import find_route, perform

logger: Final = logging.getLogger(__name__)

_JSON: Final = ("content-type", "application/json")
_NDJSON: Final = ("content-type", "application/x-ndjson")


class ControlServer:
    """Serves the API for one running server."""

    def __init__(self, context: Context, writer: Writer, hasher: PasswordHasher) -> None:
        self._context = context
        self._writer = writer
        self._hasher = hasher
        self._news = trio.Event()
        self._places = trio.Semaphore(CONTROL_CONNECTIONS)
        writer.listeners.append(self._on_durable)

    def _on_durable(self, appended: Sequence[Appended]) -> None:
        self._news.set()
        self._news = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled. Where there can be no socket, mail is served all the same."""
        path = socket_path(self._context.path)
        try:
            sock = _listen(path)
        except OSError as error:
            logger.error("commands cannot reach this server: %s cannot be made (%s)", path, error.strerror)
            task_status.started()
            return
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        try:
            task_status.started()
            await trio.serve_listeners(self._converse, [listener])
        finally:
            path.unlink(missing_ok=True)

    async def _converse(self, stream: trio.SocketStream) -> None:
        async with self._places, stream:
            try:
                await _Conversation(self, stream).run()
            except (trio.BrokenResourceError, trio.TooSlowError, h11.LocalProtocolError):
                pass
            except LogFailed:
                raise
            except Exception:
                logger.exception("a control connection failed; this is a defect of Crockery")

    async def answer(self, request: Request) -> Json | Lines | AsyncGenerator[Json, None]:
        """Do what is asked; what is returned is durable. Raises ControlError and those that become one."""
        match = find_route(request.method, request.path)
        route = match.route
        request = replace(request, hasher=self._hasher)
        if route.prepare is not None:
            request = replace(request, prepared=await trio.to_thread.run_sync(route.prepare, request))
        if route.follows and request.query.get("follow", "") not in ("", "0"):
            return self._follow(request)
        result = perform(self._context, match, request)
        await self._writer.wait_durable(self._context.store.log.head)
        return result

    async def _follow(self, request: Request) -> AsyncGenerator[Json, None]:
        """The log from a place on, for ever."""
        after, last = request.number("after", 0), request.number("last", -1)
        log = self._context.store.log
        chronicle = Chronicle(log.file, log.header)
        while True:
            news = self._news
            lines = log_lines(chronicle, log.durable_position.offset, after, last)
            async for line in _in_thread(lines):
                yield line
            last = -1
            await news.wait()


class _Conversation:
    """One connection: request after request."""

    def __init__(self, server: ControlServer, stream: trio.SocketStream) -> None:
        self._server = server
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=CONTROL_HEADER_MAX)
        self._actor = Actor(0, "control", _peer(stream.socket))

    async def run(self) -> None:
        while True:
            try:
                with trio.fail_after(CONTROL_TIMEOUT):
                    head = await self._next_event()
                    if not isinstance(head, h11.Request):
                        return
                    body = await self._body()
            except h11.RemoteProtocolError as error:
                if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    wrong = ControlError(error.error_status_hint, "bad-request", "this is not HTTP/1.1 as it should be")
                    await self._send_json(wrong.status, wrong.as_json(), close=True)
                return
            except ControlError as error:
                await self._send_json(error.status, error.as_json(), close=True)
                return
            await self._serve(head, body)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _next_event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._stream.receive_some(65536))

    async def _body(self) -> bytes:
        body = b""
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > CONTROL_BODY_MAX:
                raise ControlError(413, "too-large", f"a request can have {CONTROL_BODY_MAX} octets")
        return body

    async def _serve(self, head: h11.Request, body: bytes) -> None:
        try:
            result = await self._server.answer(self._read(head, body))
            if isinstance(result, dict):
                await self._send_json(200, result)
            else:
                await self._send_lines(result if isinstance(result, AsyncGenerator) else _in_thread(result))
        except (trio.BrokenResourceError, trio.TooSlowError, LogFailed):
            raise
        except Exception as error:
            known = as_control_error(error) or _defect()
            if self._http.our_state is h11.SEND_RESPONSE:
                await self._send_json(known.status, known.as_json())

    def _read(self, head: h11.Request, body: bytes) -> Request:
        target = urlsplit(head.target.decode("ascii", "replace"))
        try:
            decoded = json.loads(body) if body else {}
        except (ValueError, RecursionError) as error:
            raise bad_request("the body is not JSON") from error
        if not isinstance(decoded, dict):
            raise bad_request("the body must be a JSON object")
        for name, value in head.headers:
            if name == b"user-agent" and not self._actor.number:
                self._actor.client = value.decode("ascii", "replace")
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        return Request(head.method.decode("ascii"), target.path, self._actor, query, decoded)

    async def _send_json(self, status: int, value: Json, *, close: bool = False) -> None:
        data = json.dumps(value).encode()
        headers = [_JSON, ("content-length", str(len(data)))]
        if close:
            headers.append(("connection", "close"))
        await self._send(h11.Response(status_code=status, headers=headers), h11.Data(data=data), h11.EndOfMessage())

    async def _send_lines(self, lines: AsyncGenerator[Json, None]) -> None:
        """One JSON value a line. What goes wrong before the first is an error as any other.

        The connection is closed after it: while we send, we notice only that the other end has gone.
        """
        async with aclosing(lines):
            try:
                first = await anext(lines)
            except StopAsyncIteration:
                await self._begin_lines()
            else:
                await self._begin_lines()
                await self._send_line(first)
                await self._send_rest(lines)
            await self._send(h11.EndOfMessage())

    async def _send_rest(self, lines: AsyncGenerator[Json, None]) -> None:
        gone = False
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                nonlocal gone
                with suppress(trio.BrokenResourceError):
                    while await self._stream.receive_some(1024):
                        pass
                gone = True
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            try:
                async for line in lines:
                    await self._send_line(line)
            except (trio.BrokenResourceError, trio.TooSlowError):
                gone = True
            nursery.cancel_scope.cancel()
        if gone:
            raise trio.BrokenResourceError

    async def _send_line(self, line: Json) -> None:
        await self._send(h11.Data(data=json.dumps(line).encode() + b"\n"))

    async def _begin_lines(self) -> None:
        await self._send(h11.Response(status_code=200, headers=[_NDJSON, ("connection", "close")]))

    async def _send(self, *events: Any) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        with trio.fail_after(CONTROL_TIMEOUT):
            await self._stream.send_all(data)


async def _in_thread(lines: Lines) -> AsyncGenerator[Json, None]:
    """The values of an iterator that blocks."""
    while batch := await trio.to_thread.run_sync(lambda: list(islice(lines, CONTROL_LINES))):
        for line in batch:
            yield line


def _defect() -> ControlError:
    """To be called while the exception is handled."""
    reference = secrets.token_hex(4)
    logger.exception("a control request failed (%s); this is a defect of Crockery", reference)
    return ControlError(500, "defect", f"something went wrong in the server; its output says more at {reference}")


def _peer(sock: Any) -> str:
    """The user at the other end, for the log."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return user_name(struct.unpack("3i", credentials)[1])


def _listen(path: Path) -> socket.socket:
    """Listen at `path`; a socket left there is in nobody's use, since we have the log locked. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(sock.fileno(), 0o600)  # before bind, so that it never exists with another mode
        path.unlink(missing_ok=True)
        with short_path(path) as name:
            sock.bind(name)
        sock.listen(CONTROL_CONNECTIONS)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
