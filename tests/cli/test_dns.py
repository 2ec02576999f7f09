"""`crockery dns --check` against a DNS server; and the keys that `init` makes."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crockery.app import initialise
from crockery.app.init import NewLog
from crockery.cli import dns
from tests.support.commands import crockery
from tests.support.dns_server import ScriptedDNS
from tests.support.server import CHEAP
from tests.support.waiting import PATIENCE

RECORDS: Mapping[tuple[str, str], list[str]] = {
    ("example.test", "MX"): ["10 mail.example.test."],
    ("example.test", "TXT"): ['"v=spf1 -all"'],
    ("mail.example.test", "A"): ["192.0.2.10"],
}


@contextlib.contextmanager
def dns_server(records: Mapping[tuple[str, str], list[str]]) -> Iterator[str]:
    """ADDRESS:PORT of a server in a thread of its own."""
    scripted = ScriptedDNS(dict(records))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    query, peer = sock.recvfrom(65535)
                    if not query:
                        return
                    sock.sendto(scripted.respond(query) or b"", peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield "127.0.0.1:%d" % sock.getsockname()[1]  # noqa: UP031
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", sock.getsockname())
        thread.join(PATIENCE)


def test_check_tells_what_is_wrong(log: Path) -> None:
    with dns_server(RECORDS) as server:
        result = crockery("dns", "--check", "--address", "192.0.2.10", "--resolver", server, log=log)
        again = crockery("dns", "--check", "--address", "192.0.2.10", "--resolver", server, "--json", log=log)
    assert result.code == 1 and result.err.startswith("crockery: not all records are as they should be")
    assert result.out.splitlines() == [
        "found    The mail server (MX) of example.test is there: 10 mail.example.test.",
        "found    The address of mail.example.test is there: 192.0.2.10.",
        "differs  The sender policy (SPF) of example.test is v=spf1 -all; it should be v=spf1 mx -all.",
        "missing  There is no policy (DMARC) at _dmarc.example.test: it should be v=DMARC1; p=quarantine.",
    ]
    assert again.code == 0
    assert [item["verdict"] for item in again.json["items"]] == ["found", "found", "differs", "missing"]


def test_all_is_well(log: Path) -> None:
    records = {
        **RECORDS,
        ("example.test", "TXT"): ['"v=spf1 mx -all"'],
        ("_dmarc.example.test", "TXT"): ['"v=DMARC1;p=reject"'],
    }
    with dns_server(records) as server:
        result = crockery("dns", "--check", "--address", "192.0.2.10", "--resolver", server, log=log)
    assert (result.code, result.err) == (0, "")


def test_the_keys_of_init_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "own_addresses", lambda: ["10.0.0.1"])
    log = tmp_path / "x.crk"
    initialise(log, NewLog("example.test", "secret"), hasher=CHEAP)
    found = crockery("dns", "--json", log=log).json
    keys = [item for item in found["items"] if item["kind"] == "dkim"]
    assert all(f"k={kind};" in item["value"] for item, kind in zip(keys, ("rsa", "ed25519"), strict=True))
    assert all(item["zone"].startswith(f'{item["form_name"]}.example.test. 3600 IN TXT "v=DKIM1;') for item in keys)
    text = crockery("dns", log=log)
    assert "; mail.example.test. 3600 IN A <the public address of this machine>" in text.out
    assert "Two more" not in text.err


def test_a_resolver_that_is_none(log: Path) -> None:
    assert crockery("dns", "--check", "--resolver", "nowhere", log=log).code == 2
