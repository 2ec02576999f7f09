"""A new log: domain, postmaster, certificate. After it, `run` alone makes mail to postmaster@ readable."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crockery.actions.accounts import add_account
from crockery.actions.actor import the_server
from crockery.actions.errors import Refused
from crockery.actions.server import NewCertificate, install_certificate
from crockery.actions.settings import change_setting, check_domain
from crockery.actions.signing import NewDKIMKey, add_dkim_keys, ensure_srs_key
from crockery.actions.store import Store
from crockery.app.options import wall_clock
from crockery.app.outgoing import new_keys
from crockery.events.errors import LogMissing
from crockery.events.opening import create_log, derived_folder, open_log
from crockery.net.certificates import from_files, self_signed
from crockery.net.passwords import PasswordHasher
from crockery.net.tls import CertificateUnusable
from crockery.projections.state import State


class InitError(Exception):
    """No log was made; str() is one sentence saying why and what to do."""


@dataclass(frozen=True, slots=True)
class NewLog:
    """What a new log begins with."""

    domain: str
    password: str
    """The postmaster's."""
    hostname: str = ""
    """Default: mail.DOMAIN."""
    certificate: Path | None = None
    """PEM chain; with `key`. None: one that is signed with itself."""
    key: Path | None = None
    dkim: bool = True
    """Make keys to sign mail with; else the first start does."""


def initialise(path: Path, new: NewLog, *, hasher: PasswordHasher | None = None) -> NewCertificate:
    """Make the log at `path`; returns the certificate in use. Blocks. Raises InitError; then there is no file."""
    try:
        domain = check_domain(new.domain)
        hostname = check_domain(new.hostname or f"mail.{domain}")
        verifier = (hasher or PasswordHasher()).hash(new.password)
        certificate = _certificate(new, hostname)
    except (Refused, CertificateUnusable, ValueError) as error:
        raise InitError(str(error)) from error
    if derived_folder(path).exists():
        raise InitError(f"{derived_folder(path)} belongs to an earlier log of that name: remove it, or choose another")
    try:
        create_log(path, wall_clock)
    except FileExistsError:
        raise InitError(f"there is a file {path} already: `crockery run {path}` serves it") from None
    except LogMissing:
        raise InitError(f"there is no folder {path.parent}: make it first") from None
    except OSError as error:
        raise InitError(f"{path} cannot be made: {error.strerror}") from error
    try:
        _fill(path, domain, hostname, verifier, certificate, new_keys(wall_clock() // 1_000_000) if new.dkim else [])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return certificate


def _certificate(new: NewLog, hostname: str) -> NewCertificate:
    if new.certificate is None and new.key is None:
        return self_signed(hostname, wall_clock() // 1_000_000)
    if new.certificate is None or new.key is None:
        raise CertificateUnusable("--cert and --key go together")
    return from_files(new.certificate, new.key)[0]


def _fill(
    path: Path,
    domain: str,
    hostname: str,
    verifier: str,
    certificate: NewCertificate,
    dkim_keys: Sequence[NewDKIMKey],
) -> None:
    state = State()
    log = open_log(path, state.apply, wall_clock).log
    try:
        store = Store(log, state, wall_clock)
        actor = the_server()
        change_setting(store, actor, "domain", domain)
        change_setting(store, actor, "hostname", hostname)
        add_account(store, actor, "postmaster", verifier, postmaster=True)
        install_certificate(store, certificate)
        if dkim_keys:
            add_dkim_keys(store, actor, domain, *dkim_keys)
        ensure_srs_key(store)
        log.commit()
    finally:
        log.close()
