"""Actions of the server on its own account: starts and stops, tallies, a certificate, a history that goes on.

The server is the actor: these events have `by` 0, or none.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crockery.actions.actor import Actor, the_server
from crockery.actions.store import Store
from crockery.events.body import compress_body
from crockery.events.types import Event
from crockery.events.types.server import (
    CERTIFICATE_INSTALLED,
    HISTORY_RESUMED,
    SEQUENCE_JUMP,
    SERVER_STARTED,
    SERVER_STOPPED,
    TAIL_CUT,
    TALLIED,
    UID_JUMP,
    UIDVALIDITY_JUMP,
)


class Place(NamedTuple):
    """Where a log is: the machine, and the file on it."""

    machine: str
    device: int
    inode: int


class NewCertificate(NamedTuple):
    """A certificate about to be used. Times are unix seconds."""

    source: str
    """ "self-signed", "file" or "acme"."""
    names: Sequence[str]
    not_after: int
    fingerprint: str
    pem: bytes = b""
    """Private key, then chain; empty when they live in files."""
    certificate_path: str = ""
    key_path: str = ""


def start(store: Store, version: str, place: Place, *, restored: str = "") -> str:
    """Note a start, and before it, in the same atom, that history goes on if this is a copy (design §2).

    Returns why it is a copy, or "" when it is not. `restored`: why the caller knows that it is one.
    """
    reason = _copied_because(store, place, restored)
    started = {"version": version, **place._asdict()}
    if not reason:
        store.log.append([Event(SERVER_STARTED, started)])
        return ""
    resumed = {
        "reason": reason,
        "jump": SEQUENCE_JUMP,
        "uid_jump": UID_JUMP,
        "uidvalidity_jump": UIDVALIDITY_JUMP,
    }
    store.log.append([Event(HISTORY_RESUMED, resumed), Event(SERVER_STARTED, started)], jump=SEQUENCE_JUMP)
    return reason


def _copied_because(store: Store, place: Place, restored: str) -> str:
    last = store.state.server.started
    if restored or last is None:
        return restored
    if last["machine"] != place.machine:
        return "the log was last used on another machine"
    if (last["device"], last["inode"]) != (place.device, place.inode):
        return "the file is another one than that last used: a copy"
    return ""


def stop(store: Store) -> None:
    """Note an orderly stop."""
    store.log.append([Event(SERVER_STOPPED, {})])


def note_cut_tail(store: Store, offset: int, length: int, kept: str) -> None:
    """Note that recovery cut an unfinished tail, kept in the file named."""
    store.log.append([Event(TAIL_CUT, {"offset": offset, "length": length, "kept": kept})])


def tally(store: Store, since: int, counts: Mapping[str, int]) -> None:
    """Note what strangers did since (unix seconds)."""
    store.log.append([Event(TALLIED, {"since": since, "counts": dict(counts)})])


def install_certificate(store: Store, certificate: NewCertificate, actor: Actor | None = None) -> int:
    """Note the certificate in use from now on; its key takes the place of the last one's, which is erased.

    Returns its number. Raises LogFull.
    """
    atom = store.atom(actor or the_server())
    facts: dict[str, object] = {
        "by": atom.by,
        "source": certificate.source,
        "names": list(certificate.names),
        "not_after": certificate.not_after,
        "fingerprint": certificate.fingerprint,
    }
    last = store.state.server.certificate
    if last is not None and not last.get("certificate_path"):
        facts["replaces"] = last["id"]
    if certificate.certificate_path:
        facts |= {"certificate_path": certificate.certificate_path, "key_path": certificate.key_path}
    number = atom.add(CERTIFICATE_INSTALLED, facts, compress_body(certificate.pem) if certificate.pem else None)
    atom.commit()
    return number
