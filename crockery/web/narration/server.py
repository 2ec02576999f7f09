"""Sentences for events of the log and the server, and settings."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.ranges import unpack_numbers
from crockery.events.types import server as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import day, listed, octets, plural


def _batch(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"a batch of events begins; what stood before octet {facts['durable']:,} was on disk"


def _server_started(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"the server started (Crockery {facts['version']})"


def _server_stopped(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return "the server stopped in good order"


def _history_resumed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"history goes on from a copy, with fresh numbers: {facts['reason']}"


def _damage_accepted(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    lost = octets(facts["end"] - facts["start"])
    return f"`crockery repair` went past damage: {lost} after event {facts['after']} are left out"


def _tail_cut(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"an unfinished tail of {octets(facts['length'])} was cut at start; it is kept in {facts['kept']}"


def _body_part(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"a piece of a large mail came in ({octets(facts['size'])})"


def _bodies_erased(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    count = len(unpack_numbers(facts["numbers"]))
    return f"{'the body of' if count == 1 else 'the bodies of'} {plural(count, 'event')} erased: {facts['why']}"


def _setting_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    name, value, old = facts["name"], facts["value"], facts["old"]
    if value is None:
        return f"{names.actor(facts)} set {name} back to its default"
    return f"{names.actor(facts)} set {name} to {value}" + ("" if old in (None, "") else f" (it was {old})")


def _certificate_installed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    source = {"self-signed": "a self-signed certificate", "file": "the certificate of a file"}.get(
        facts["source"], f"a certificate ({facts['source']})"
    )
    return f"{source} for {listed(facts['names'])} is in use, good until {day(facts['not_after'])}"


def _tallied(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    counts = [f"{count:,} {kind}" for kind, count in sorted(facts["counts"].items())]
    return f"strangers: {', '.join(counts)}"


def _smart_host_set(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    if not facts["host"]:
        return f"{names.actor(facts)} let outgoing mail go without a smart host"
    login = f", with the login {facts['user']}" if facts["user"] else ""
    return f"{names.actor(facts)} let all outgoing mail go by the smart host {facts['host']}:{facts['port']}{login}"


def _smart_host_told(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"the postmaster was told by message {facts['told']} that the smart host takes no mail"


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.BATCH, _batch),
    (events.SERVER_STARTED, _server_started),
    (events.SERVER_STOPPED, _server_stopped),
    (events.HISTORY_RESUMED, _history_resumed),
    (events.DAMAGE_ACCEPTED, _damage_accepted),
    (events.TAIL_CUT, _tail_cut),
    (events.SMART_HOST_SET, _smart_host_set),
    (events.SMART_HOST_TOLD, _smart_host_told),
    (events.BODY_PART, _body_part),
    (events.BODIES_ERASED, _bodies_erased),
    (events.SETTING_CHANGED, _setting_changed),
    (events.CERTIFICATE_INSTALLED, _certificate_installed),
    (events.TALLIED, _tallied),
)
