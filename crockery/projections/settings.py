"""Projection: the settings. `SETTINGS` is the one list that the command line, the help and the tests read."""

import functools
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from crockery.limits import MAILS_PER_DAY, MAX_MESSAGE, MAX_RECIPIENTS, NEW_RECIPIENTS_PER_DAY, RETENTION_DAYS

Value = str | int | bool | None


class Setting(NamedTuple):
    """A thing that can be changed: its name, its default, and one sentence on what it does."""

    name: str
    default: Value
    help: str


SETTINGS: Final = (
    Setting("domain", None, "the domain whose mail this is"),
    Setting("hostname", None, "the name this server calls itself by, and the MX record names"),
    Setting("old-domains", "", "domains (comma separated) whose mail is still received after `change domain`"),
    Setting("retention-days", RETENTION_DAYS, "days that deleted mail can still be brought back"),
    Setting("max-message-size", MAX_MESSAGE, "octets of the largest mail accepted"),
    Setting("max-recipients", MAX_RECIPIENTS, "recipients of one mail"),
    Setting("max-mails-per-day", MAILS_PER_DAY, "mails that one account can send to other servers in 24 hours"),
    Setting(
        "max-new-recipients-per-day",
        NEW_RECIPIENTS_PER_DAY,
        "recipients elsewhere in 24 hours to whom an account never wrote before",
    ),
    Setting("quota-storage", 0, "octets of mail that an account without a quota of its own can hold; 0: no limit"),
    Setting("quota-messages", 0, "messages that an account without a quota of its own can hold; 0: no limit"),
    Setting("imap-unauthenticate", True, "whether an IMAP client may change accounts on one connection (RFC 8437)"),
)

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The values that differ from the defaults."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.position = 0

    def get(self, name: str) -> Value:
        """The value in force; raises KeyError for a name that is not in SETTINGS."""
        value = self.values.get(name)
        return BY_NAME[name].default if value is None else value

    def text(self, name: str) -> str:
        """A text setting; "" when it has none."""
        value = self.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """A number setting."""
        value = self.get(name)
        assert isinstance(value, int)
        return value

    @property
    def domain(self) -> str:
        return self.text("domain")

    @property
    def hostname(self) -> str:
        return self.text("hostname") or self.domain

    @property
    def domains(self) -> frozenset[str]:
        """All domains whose mail is received, in lower case."""
        return _domains(self.domain, self.text("old-domains"))

    def dump(self) -> Any:
        return [self.values, self.position]

    def load(self, dumped: Any) -> None:
        self.values, self.position = dumped

    def setting_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.values[facts["name"]] = facts["value"]
        self.position = sequence


@functools.lru_cache(maxsize=4)  # each mail asks several times, and it is always the same
def _domains(domain: str, old_domains: str) -> frozenset[str]:
    names = [domain, *old_domains.split(",")]
    return frozenset(name.strip().lower() for name in names if name.strip())
