"""Which certificate is in use: the log's, or the files the log names; a change of either is in use at once."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from crockery import limits
from crockery.actions.server import install_certificate
from crockery.actions.store import Store
from crockery.events.errors import LogError
from crockery.events.log import Appended
from crockery.events.types.server import CERTIFICATE_INSTALLED
from crockery.net.certificates import from_files, self_signed
from crockery.net.tls import CertificateUnusable, TLSHolder

logger: Final = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]
"""Inode, size and time of change of each file."""


class CertificateKeeper:
    """Keeps a TLS holder on the newest certificate that can be used."""

    def __init__(self, store: Store, holder: TLSHolder) -> None:
        self._store = store
        self._holder = holder
        self._stamp: Stamp = ()
        self._seen = 0
        """Number of the CertificateInstalled last looked at."""
        self._changed = trio.Event()

    def start(self) -> None:
        """Use what there is; if nothing of it can be used, one signed with itself: mail must not stand still."""
        try:
            self._load()
        except CertificateUnusable as error:
            logger.error("%s; using one that is signed with itself until it can be", error)
            self._holder.use(self_signed(self._store.state.settings.hostname, self._store.now).pem)

    def on_durable(self, batch: Sequence[Appended]) -> None:
        """A listener of the writer."""
        if any(event.type.code == CERTIFICATE_INSTALLED.code for event in batch):
            self._changed.set()

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            with trio.move_on_after(limits.CERTIFICATE_POLL):
                await self._changed.wait()
            self._changed = trio.Event()
            self.look()

    def look(self) -> None:
        """Use a new certificate if there is one; what cannot be used changes nothing."""
        certificate = self._store.state.server.certificate
        if certificate is None or (certificate["id"] == self._seen and self._stamp == _stamp(certificate)):
            return
        try:
            self._load()
        except CertificateUnusable as error:
            logger.error("%s; the one before stays in use", error)

    def _load(self) -> None:
        certificate = self._store.state.server.certificate
        if certificate is None:
            raise CertificateUnusable("the log has no certificate")
        self._seen, self._stamp = certificate["id"], _stamp(certificate)
        paths = _paths(certificate)
        if not paths:
            try:
                self._holder.use(self._store.log.read_body(certificate["id"]))
            except LogError as error:
                raise CertificateUnusable(str(error)) from error
            return
        found, pem = from_files(*paths)
        self._holder.use(pem)
        if found.fingerprint != certificate["fingerprint"]:
            logger.info("the certificate in %s is in use", paths[0])
            self._seen = install_certificate(self._store, found)


def _paths(certificate: dict[str, object]) -> tuple[Path, Path] | None:
    path, key = certificate.get("certificate_path"), certificate.get("key_path")
    return (Path(str(path)), Path(str(key))) if path and key else None


def _stamp(certificate: dict[str, object]) -> Stamp:
    stamps = []
    for path in _paths(certificate) or ():
        try:
            status = path.stat()
        except OSError:
            stamps.append((0, 0, 0))
        else:
            stamps.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)
