"""Projection: the starts of the server and the certificate in use."""

from collections.abc import Mapping
from typing import Any


class Server:
    """What the log says of the program and the machine it ran on."""

    def __init__(self) -> None:
        self.started: dict[str, Any] | None = None
        """Facts of the last ServerStarted, with `time` and `sequence`."""
        self.stopped_cleanly = True
        self.certificate: dict[str, Any] | None = None
        """Facts of the last CertificateInstalled, with `id`, the event whose body has key and chain."""
        self.history_resumed_at = 0
        """Number of the last HistoryResumed; 0: never."""

    def dump(self) -> Any:
        return [self.started, self.stopped_cleanly, self.certificate, self.history_resumed_at]

    def load(self, dumped: Any) -> None:
        self.started, self.stopped_cleanly, self.certificate, self.history_resumed_at = dumped

    def server_started(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.started = {**facts, "time": time, "sequence": sequence}
        self.stopped_cleanly = False

    def server_stopped(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.stopped_cleanly = True

    def history_resumed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.history_resumed_at = sequence

    def certificate_installed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.certificate = {**facts, "id": sequence, "time": time}
