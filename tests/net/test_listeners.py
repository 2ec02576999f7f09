"""Listening, and what is said when it cannot be; certificates."""

import errno
import os
import socket
import time
from pathlib import Path

import pytest
import trio
import trustme

from crockery.net.certificates import from_files, self_signed
from crockery.net.listeners import ListenFailed, accept_forever, open_listeners
from crockery.net.tls import CertificateUnusable, TLSHolder


def test_a_taken_port_is_told() -> None:
    (first,) = open_listeners(["127.0.0.1"], 0)
    with first, pytest.raises(ListenFailed, match="taken by another program"):
        open_listeners(["127.0.0.1"], first.getsockname()[1])


def test_missing_permission_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ListenFailed, match=r"port 25 needs permission.*setcap.*--port-offset 8000"):
        open_listeners(["127.0.0.1"], 25)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        pytest.param("192.0.2.1", "this machine does not have that address", id="foreign"),
        pytest.param("localhost", "that is not an IP address", id="name"),
    ],
)
def test_a_wrong_address_is_told(address: str, sentence: str) -> None:
    with pytest.raises(ListenFailed, match=sentence):
        open_listeners([address], 0)


def test_a_port_that_is_none_is_told() -> None:
    with pytest.raises(ListenFailed, match="there is no port 70025"):
        open_listeners([], 70025)


def test_nothing_stays_open_when_one_fails() -> None:
    (taken,) = open_listeners(["127.0.0.1"], 0)
    port = taken.getsockname()[1]
    with taken, pytest.raises(ListenFailed):
        open_listeners(["127.0.0.2", "127.0.0.1"], port)
    (again,) = open_listeners(["127.0.0.2"], port)
    again.close()


def test_all_addresses_share_a_port() -> None:
    listeners = open_listeners([], 0)
    assert len({listener.getsockname()[1] for listener in listeners}) == 1
    for listener in listeners:
        listener.close()


async def test_accepting_survives_want_of_files(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    (listener,) = open_listeners(["127.0.0.1"], 0)
    errors = [errno.EMFILE, errno.ECONNABORTED, errno.EMFILE]
    accept = socket.socket.accept

    def scarce(self: socket.socket) -> tuple[socket.socket, object]:
        if errors:
            raise OSError(errors[0], os.strerror(errors.pop(0)))
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", scarce)
    accepted: list[socket.socket] = []
    with listener, socket.create_connection(listener.getsockname()):
        with trio.move_on_after(5):
            await accept_forever(listener, accepted.append)
        assert len(accepted) == 1
        accepted[0].close()
    assert "Too many open files" in caplog.text


def test_a_self_signed_certificate_is_good_for_its_host() -> None:
    now = int(time.time())
    made = self_signed("mail.example.test", now)
    assert made.names == ["mail.example.test"]
    assert made.not_after > now + 800 * 86400
    assert len(made.fingerprint) == 64
    TLSHolder().use(made.pem)


def test_a_long_host_name_has_a_certificate_too() -> None:
    host = ".".join(["a" * 60] * 4)
    assert self_signed(host, 1_800_000_000).names == [host]


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        pytest.param(None, b"", "cannot be read: No such file", id="missing"),
        pytest.param(b"", b"", "cannot be used", id="empty"),
        pytest.param(b"\xff\x00", b"rubbish", "cannot be used", id="rubbish"),
    ],
)
def test_unusable_files_are_told(tmp_path: Path, certificate: bytes | None, key: bytes, sentence: str) -> None:
    paths = tmp_path / "chain.pem", tmp_path / "key.pem"
    paths[1].write_bytes(key)
    if certificate is not None:
        paths[0].write_bytes(certificate)
    with pytest.raises(CertificateUnusable, match=sentence):
        from_files(*paths)


def test_a_key_that_does_not_fit_is_told(tmp_path: Path) -> None:
    ca = trustme.CA()
    one, two = ca.issue_cert("a.example"), ca.issue_cert("a.example")
    (tmp_path / "chain.pem").write_bytes(one.cert_chain_pems[0].bytes())
    (tmp_path / "key.pem").write_bytes(two.private_key_pem.bytes())
    with pytest.raises(CertificateUnusable, match="mismatch"):
        from_files(tmp_path / "chain.pem", tmp_path / "key.pem")


def test_an_unusable_certificate_changes_nothing() -> None:
    holder = TLSHolder()
    with pytest.raises(ValueError, match="no certificate"):
        _ = holder.context
    holder.use(self_signed("a.example", 1_800_000_000).pem)
    before = holder.context
    with pytest.raises(CertificateUnusable):
        holder.use(b"rubbish")
    assert holder.context is before
