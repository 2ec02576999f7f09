"""A server from its start to its stop, and what a person is told when it cannot run."""

import contextlib
import errno
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crockery import limits
from crockery.app import Options, StartError, running, serving
from crockery.app.opening import find_place
from crockery.events.catalog import Catalog
from crockery.events.errors import LogFailed, LogLocked, LogMissing
from crockery.events.file import OSFile
from crockery.events.recover import replay
from crockery.net.connection import Connection
from crockery.net.listeners import ListenFailed
from crockery.net.services import Services
from tests.support.server import CHEAP, RunningServer, make_log, running_server
from tests.support.waiting import PATIENCE, until

LOCAL = "127.0.0.1"


async def _greeted(server: RunningServer, port: str) -> trio.abc.Stream:
    """A connection that has been greeted."""
    stream: trio.abc.Stream = await trio.open_tcp_stream(LOCAL, server.ports[port])
    if port.endswith("s"):
        stream = trio.SSLStream(stream, server.client_context, server_hostname=LOCAL, https_compatible=True)
    assert (await stream.receive_some()).endswith(b"\r\n")
    return stream


@pytest.mark.parametrize("port", ["smtp", "submissions", "submission", "imap", "imaps"])
async def test_every_port_greets(tmp_path: Path, port: str) -> None:
    async with running_server(tmp_path) as server:
        stream = await _greeted(server, port)
        await stream.aclose()


async def test_an_orderly_stop_says_goodbye_and_notes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STOP_GRACE", 10 * PATIENCE)  # nobody here needs it
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as server:
            smtp, imap = await _greeted(server, "smtp"), await _greeted(server, "imaps")
            server.server.stop()
            assert (await smtp.receive_some()).startswith(b"421 ")
            assert (await imap.receive_some()).startswith(b"* BYE ")
            await smtp.aclose()
            await imap.aclose()


async def test_a_session_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STOP_GRACE", 0.05)
    async with running_server(tmp_path) as server:
        stream = await _greeted(server, "smtp")
        for line in (b"EHLO x", b"MAIL FROM:<x@example.org>", b"RCPT TO:<anna@example.test>", b"DATA"):
            await stream.send_all(line + b"\r\n")
            await stream.receive_some()
        await stream.send_all(b"Subject: half of a ")
    await stream.aclose()  # the stop came to its end although the client never finished


async def test_a_stop_is_clean_and_a_crash_is_not(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        assert not server.store.state.server.stopped_cleanly
    async with trio.open_nursery() as nursery:
        opened = trio.Event()

        async def crash() -> None:
            async with running_server(tmp_path) as server:
                assert _stopped_before(server)
                opened.set()
                await trio.sleep_forever()

        nursery.start_soon(crash)
        await opened.wait()
        nursery.cancel_scope.cancel()
    async with running_server(tmp_path) as server:
        assert not _stopped_before(server)


def _stopped_before(server: RunningServer) -> bool:
    """Whether the event before the last ServerStarted is a ServerStopped."""
    file = OSFile(server.path, writable=False)
    kinds: list[str] = []
    replay(file, lambda sequence, time, kind, facts: kinds.append(kind.name), Catalog())
    file.close()
    at = len(kinds) - 1 - kinds[::-1].index("ServerStarted")
    return kinds[at - 1] == "ServerStopped"


async def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogMissing, match="crockery init"):
        async with running(Options(tmp_path / "none.crk")):
            raise AssertionError


async def test_two_servers_on_one_log(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        with pytest.raises(LogLocked, match="in use by another Crockery"):
            async with running(Options(server.path, any_port=True, hasher=CHEAP)):
                raise AssertionError


async def test_a_port_taken_starts_nothing(tmp_path: Path) -> None:
    path = make_log(tmp_path)
    before = path.read_bytes()
    with socket.create_server((LOCAL, 0)) as taken:
        offset = taken.getsockname()[1] - 993
        with pytest.raises(ListenFailed, match="taken by another program") as raised:
            async with running(Options(path, bind=(LOCAL,), port_offset=offset, hasher=CHEAP)):
                raise AssertionError
    assert isinstance(raised.value, StartError)
    assert path.read_bytes() == before, "a start that fails leaves no trace in the log"


async def test_a_log_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_log(tmp_path)
    real = os.open

    def refuse(name: object, *rest: object, **more: object) -> int:
        if str(name) == str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StartError, match="may not be read and written by this user"):
        async with running(Options(path)):
            raise AssertionError


async def test_a_write_that_fails_stops_the_server_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: OSFile) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(LogFailed, match=r"Input/output error.*check the disk"):
        async with running_server(tmp_path) as server, await _greeted(server, "imap") as stream:
            await stream.send_all(b"1 LOGIN anna secret\r\n")
            assert b"1 OK" in await stream.receive_some()
            monkeypatch.setattr(OSFile, "sync", broken)
            await stream.send_all(b"2 CREATE lost\r\n")
            with contextlib.suppress(trio.BrokenResourceError):
                said = await stream.receive_some()
                assert b"2 OK" not in said, "nothing is told that is not on disk"
            await trio.sleep_forever()


def fail(*facts: object) -> None:
    raise ZeroDivisionError


async def test_a_fold_that_fails_stops_the_server_loudly(tmp_path: Path) -> None:
    with pytest.raises(LogFailed, match="defect of Crockery"):
        async with running_server(tmp_path) as server:
            server.store.state._folds.clear()
            server.store.state._folds[9] = (fail,)
            server.store.state._folds[10] = server.store.state._folds[9]
            server.services.tally.count("anything")
            with contextlib.suppress(LogFailed):
                server.services.tally.flush()
            await trio.sleep_forever()


async def test_one_broken_connection_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_server(tmp_path) as server:
        good = await _greeted(server, "imap")
        accepted: list[Connection] = []

        async def defect(connection: Connection, services: Services) -> None:
            accepted.append(connection)
            raise RuntimeError("a defect")

        monkeypatch.setattr(serving.Port, "serve", property(lambda self: defect))
        bad = await trio.open_tcp_stream(LOCAL, server.ports["imap"])
        assert await bad.receive_some() == b""
        await bad.aclose()
        await good.send_all(b"1 NOOP\r\n")
        assert (await good.receive_some()).startswith(b"1 OK")
        await good.aclose()
        await wait_all_tasks_blocked()
    assert "a defect" in caplog.text and accepted


async def test_too_many_connections_are_told(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        server.server.connections._total = 1
        first = await _greeted(server, "imap")
        second = await trio.open_tcp_stream(LOCAL, server.ports["smtp"])
        assert (await second.receive_some()).startswith(b"421 4.7.0 too many connections")
        third = await trio.open_tcp_stream(LOCAL, server.ports["imaps"])
        with contextlib.suppress(trio.BrokenResourceError):
            assert await third.receive_some() == b""
        assert server.services.tally.counts["connection-refused-total"] == 2
        for stream in (first, second, third):
            await stream.aclose()
        await until(lambda: not server.server.connections.count)
        await (await _greeted(server, "imap")).aclose()


async def test_a_failed_handshake_is_counted_and_forgotten(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        stream = await trio.open_tcp_stream(LOCAL, server.ports["imaps"])
        await stream.send_all(b"a LOGIN anna secret\r\n")
        assert b"OK" not in await stream.receive_some()
        await stream.aclose()
        await until(lambda: server.services.tally.counts)
        assert server.services.tally.counts == {"imaps-connection-lost": 1}


async def test_a_self_signed_certificate_serves(tmp_path: Path) -> None:
    (tmp_path / "chain.pem").unlink(missing_ok=True)
    path = make_log(tmp_path)
    assert find_place(path) == find_place(path)
    (tmp_path / "chain.pem").write_text("damaged")
    async with running_server(tmp_path) as server:  # mail must not stand still
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = trio.SSLStream(await trio.open_tcp_stream(LOCAL, server.ports["imaps"]), context)
        assert (await stream.receive_some()).startswith(b"* OK")
        await stream.aclose()


PROGRAM = """
import sys, trio
from pathlib import Path
from crockery.app import Options, run_until_signal
trio.run(run_until_signal, Options(Path(sys.argv[1]), bind=("127.0.0.1",), any_port=True),
         lambda server: print(server.ports["imap"], sys.getswitchinterval(), flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signals_stop_in_order(tmp_path: Path, number: signal.Signals) -> None:
    path = make_log(tmp_path)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, interval = process.stdout.readline().split()
        assert float(interval) <= 0.001  # the event loop waits for no thread longer
        with socket.create_connection((LOCAL, int(port))) as client:
            client.settimeout(PATIENCE)
            assert client.recv(1000).startswith(b"* OK")
            process.send_signal(number)
            assert client.recv(1000).startswith(b"* BYE")
        assert process.wait(PATIENCE) == 0
    assert (tmp_path / "test.crk.d" / "snapshot").exists()
