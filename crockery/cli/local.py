"""The control API without a server: its operations in this process, on the log opened for it alone."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crockery.actions.actor import Actor
from crockery.actions.store import Store
from crockery.app.options import wall_clock
from crockery.cli.control import target
from crockery.cli.errors import CommandFailed, about
from crockery.cli.output import Progress, reading_bar
from crockery.events.errors import LogError, LogLocked
from crockery.followers.rebuilding import rebuild
from crockery.projections.restore import Restored, restore
from crockery.web.control.address import user_name
from crockery.web.control.errors import as_control_error
from crockery.web.control.request import Context, Request
from crockery.web.control.routes import answer


class Local:
    """As `control.Remote`, for a log that no server has open."""

    is_running = False

    def __init__(self, log: Path, command: str) -> None:
        """Raises LogLocked, CommandFailed."""
        try:
            with reading_bar(f"Reading {log.name}") as progress:
                restored = _restore(log, progress)
        except PermissionError as error:
            raise CommandFailed(f"this user may not read and write {log}: use its owner, as with `sudo -u`") from error
        except OSError as error:
            raise CommandFailed(f"{log} cannot be opened: {error.strerror}") from error
        self._log = restored.opened.log
        store = Store(self._log, restored.state, wall_clock)
        self._context = Context(store, log, reindex=lambda: _steps(log, store))
        self._actor = Actor(0, "control", user_name(os.getuid()), command)

    def close(self) -> None:
        self._log.close()

    def ask(self, method: str, *path: str, query: Mapping[str, str] | None = None, **body: Any) -> Any:
        with _own_sentences():
            return answer(self._context, self._request(method, path, query, body))

    def lines(self, method: str, *path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        with _own_sentences():
            yield from answer(self._context, self._request(method, path, query, {}))

    def _request(
        self, method: str, path: tuple[str, ...], query: Mapping[str, str] | None, body: Mapping[str, Any]
    ) -> Request:
        return Request(method, target(path), self._actor, query or {}, body)


def _steps(log: Path, store: Store) -> Iterator[Any]:
    return (step._asdict() for step in rebuild(log, store.log, store.state))


def _restore(log: Path, progress: Progress) -> Restored:
    try:
        return restore(log, wall_clock, progress=progress)
    except LogLocked:
        raise
    except LogError:
        with about(log):
            raise


@contextmanager
def _own_sentences() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        known = as_control_error(error)
        if known is None:
            raise
        raise CommandFailed(known.message) from error
