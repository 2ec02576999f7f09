"""The certificate in use changes while the server runs."""

import hashlib
import ssl
from pathlib import Path

import pytest
import trio

from crockery import limits
from crockery.actions.server import install_certificate
from crockery.net.certificates import self_signed
from tests.support.server import RunningServer, running_server, test_ca
from tests.support.waiting import PATIENCE, until


async def _fingerprint_served(server: RunningServer) -> str:
    """SHA-256 of the certificate that a client gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = trio.SSLStream(await trio.open_tcp_stream("127.0.0.1", server.ports["imaps"]), context)
    async with stream:
        await stream.do_handshake()
        return hashlib.sha256(stream.getpeercert(binary_form=True)).hexdigest()


async def _until(server: RunningServer, fingerprint: str) -> None:
    with trio.fail_after(PATIENCE):
        while await _fingerprint_served(server) != fingerprint:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_new_files_are_used_and_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CERTIFICATE_POLL", 0.02)
    async with running_server(tmp_path) as server:
        first = server.store.state.server.certificate
        assert first is not None and first["source"] == "file"
        assert await _fingerprint_served(server) == first["fingerprint"]
        standing = trio.SSLStream(
            await trio.open_tcp_stream("127.0.0.1", server.ports["imaps"]),
            server.client_context,
            server_hostname="localhost",
        )
        await standing.receive_some()
        new = test_ca().issue_cert("localhost", "new.example.test")
        new.private_key_pem.write_to_path(tmp_path / "key.pem")
        new.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
        await until(lambda: server.store.state.server.certificate["id"] != first["id"])  # type: ignore[index]
        noted = server.store.state.server.certificate
        assert noted is not None
        assert set(noted["names"]) == {"localhost", "new.example.test"}
        assert await _fingerprint_served(server) == noted["fingerprint"]
        await standing.send_all(b"1 NOOP\r\n")
        assert (await standing.receive_some()).startswith(b"1 OK"), "connections that stand go on"
        await standing.aclose()


async def test_damaged_files_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "CERTIFICATE_POLL", 0.02)
    async with running_server(tmp_path) as server:
        before = await _fingerprint_served(server)
        (tmp_path / "chain.pem").write_text("half of a cert")
        await until(lambda: "stays in use" in caplog.text)
        (tmp_path / "key.pem").unlink()
        assert await _fingerprint_served(server) == before
        assert len([r for r in caplog.records if "stays in use" in r.message]) <= 2, "it is not said again and again"


async def test_one_put_into_the_log_is_used_at_once(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        made = self_signed("mail.example.test", server.store.now)
        install_certificate(server.store, made)
        await _until(server, made.fingerprint)
    async with running_server(tmp_path) as server:
        assert await _fingerprint_served(server) == made.fingerprint
