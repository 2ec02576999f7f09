"""A whole server in this process: a log in a temporary folder, free ports on 127.0.0.1, accounts, and a CA.

    async with running_server(tmp_path) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.ports["imap"])

Domain example.test, host mail.example.test; accounts anna and ben and the postmaster, all with the password "secret".
"""

import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from crockery.actions.accounts import add_account
from crockery.actions.actor import the_server
from crockery.actions.store import Store
from crockery.app import Options, Server, initialise, running
from crockery.app.init import NewLog
from crockery.app.options import wall_clock
from crockery.events.opening import open_log
from crockery.net.passwords import Hashing, PasswordHasher
from crockery.net.services import Services
from crockery.projections.state import State
from tests.support.store import messages

DOMAIN = "example.test"
HOSTNAME = "mail.example.test"
PASSWORD = "secret"
CHEAP = PasswordHasher(Hashing(memory=8, passes=1))


@functools.cache
def test_ca() -> trustme.CA:
    """One CA for all tests: keys take time."""
    return trustme.CA()


test_ca.__test__ = False  # type: ignore[attr-defined]


def client_context() -> ssl.SSLContext:
    """A client's context that trusts the CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    test_ca().configure_trust(context)
    return context


@functools.cache
def _verifier() -> str:
    return CHEAP.hash(PASSWORD)


def make_log(folder: Path, *, accounts: Sequence[str] = ("anna", "ben"), domain: str = DOMAIN) -> Path:
    """A log as `init` and `account add` make it; its certificate lives in files beside it."""
    certificate, key = folder / "chain.pem", folder / "key.pem"
    issued = test_ca().issue_cert(f"mail.{domain}", "127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(key)
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    path = folder / "test.crk"
    initialise(path, NewLog(domain, PASSWORD, f"mail.{domain}", certificate, key, dkim=False), hasher=CHEAP)
    state = State()
    log = open_log(path, state.apply, wall_clock).log
    store = Store(log, state, wall_clock)
    for name in accounts:
        add_account(store, the_server(), name, _verifier())
    log.commit()
    log.close()
    return path


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs, and what a test wants of it."""

    server: Server
    path: Path

    @property
    def services(self) -> Services:
        return self.server.services

    @property
    def store(self) -> Store:
        return self.server.services.store

    @property
    def ports(self) -> dict[str, int]:
        """By name: smtp, submissions, submission, imap, imaps."""
        return self.server.ports

    def inbox(self, name: str) -> list[bytes]:
        """The messages in an account's INBOX, whole."""
        return messages(self.store, name)

    @property
    def client_context(self) -> ssl.SSLContext:
        """For TLS clients; the certificate is good for mail.example.test, localhost and 127.0.0.1."""
        return client_context()


@contextlib.asynccontextmanager
async def running_server(
    folder: Path, *, accounts: Sequence[str] = ("anna", "ben"), domain: str = DOMAIN, **options: Any
) -> AsyncIterator[RunningServer]:
    """Make a log in `folder`, unless there is one, and serve it. `options` are those of `crockery.app.Options`."""
    path = folder / "test.crk"
    if not path.exists():
        make_log(folder, accounts=accounts, domain=domain)
    defaults: dict[str, Any] = {
        "bind": ("127.0.0.1",), "any_port": True, "hasher": CHEAP, "snapshot": False, "world": None,
    }  # fmt: skip
    async with running(Options(path, **(defaults | options))) as server:
        yield RunningServer(server, path)
