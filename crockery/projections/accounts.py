"""Projection: accounts, aliases, the wildcard, passwords (where their verifiers are, never the verifiers)."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Final, NamedTuple

POSTMASTER_NAMES: Final = frozenset(("postmaster", "abuse"))
"""Local parts that always reach the postmaster (RFC 5321 section 4.5.1, RFC 2142)."""

CROCKERYS_NAME: Final = "crockery"
"""The local part under which Crockery itself writes and is written to."""

REWRITTEN: Final = ("srs0=", "srs1=")
"""How local parts begin under which bounces of forwarded mail come back."""


@dataclass(slots=True)
class AppPassword:
    """A password for one device; `id` is the event whose body holds its verifier."""

    id: int
    label: str
    added: int
    last_used: int = 0
    """Microseconds; 0: never."""
    last_peer: str = ""


@dataclass(slots=True)
class Account:
    """One account. `password` is the number of the event whose body holds the verifier; 0: none yet."""

    id: int
    name: str
    postmaster: bool
    added: int
    disabled: bool = False
    password: int = 0
    app_passwords: dict[str, AppPassword] = field(default_factory=dict)
    position: int = 0
    forward: str = ""
    """The address elsewhere that its mail goes on to; "": none."""
    keeps: bool = True
    """Mail that goes on stays here as well."""
    quota: tuple[int, int] | None = None
    """Limits of its own: octets and messages, 0 for none; None: those of the settings."""
    quota_told: int = 0
    """Per cent that it was told of last."""
    quota_lacking: int = 0
    """Octets of the mail that it was told it had no room for; 0: none."""


class Forward(NamedTuple):
    """Mail goes on to `address` elsewhere, because of the name `name` here; `account` answers for it."""

    account: int
    name: str
    address: str


class Reach(NamedTuple):
    """Where mail to a local part goes: into the mailboxes of accounts, and on to other servers. Neither: nowhere."""

    accounts: list[Account]
    forwards: list[Forward]


def _account(values: Sequence[Any]) -> Account:
    account = Account(*values)
    account.app_passwords = {label: AppPassword(*app) for label, app in account.app_passwords.items()}  # type: ignore[misc]
    account.quota = None if account.quota is None else (account.quota[0], account.quota[1])
    return account


def fold_local_part(local_part: str) -> str:
    """Local parts are compared without case."""
    return local_part.casefold()


class Accounts:
    """Who there is, and who gets mail for a local part."""

    def __init__(self) -> None:
        self.by_id: dict[int, Account] = {}
        self.by_name: dict[str, Account] = {}
        self.aliases: dict[str, list[str]] = {}
        self.wildcard: int | None = None
        self.position = 0
        """The last event that changed any of it."""

    @property
    def postmaster(self) -> Account | None:
        """The account that gets postmaster@."""
        return next((account for account in self.by_id.values() if account.postmaster), None)

    @property
    def has_app_passwords(self) -> bool:
        """Whether anybody has one."""
        return any(account.app_passwords for account in self.by_id.values())

    def find(self, name: str) -> Account | None:
        """The account of that name (any case)."""
        return self.by_name.get(fold_local_part(name))

    def recipients(self, local_part: str) -> list[Account]:
        """The accounts that mail to this local part is for, wherever they let it go on to.

        In order: an account, an alias, either without its `+tag`, postmaster and abuse, the wildcard.
        """
        return [self.by_name[target] for target in self._find(local_part)[1] if target in self.by_name]

    def reach(self, local_part: str) -> Reach:
        """Where mail to this local part goes."""
        name, targets = self._find(local_part)
        postmaster = self.postmaster
        keepers: list[Account] = []
        forwards: list[Forward] = []
        for target in targets:
            account = self.by_name.get(target)
            if account is None:
                forwards.append(Forward(postmaster.id if postmaster is not None else 0, name, target))
                continue
            if account.forward:
                forwards.append(Forward(account.id, account.name, account.forward))
            if account.keeps or not account.forward:
                keepers.append(account)
        return Reach(keepers, forwards)

    def addresses_of(self, account: Account) -> set[str]:
        """The local parts the account may send as: its name, the aliases that reach it, and the postmaster's names."""
        names = {account.name}
        names.update(alias for alias, targets in self.aliases.items() if account.name in targets)
        if account.postmaster:
            names.update(POSTMASTER_NAMES)
        return names

    def _find(self, local_part: str) -> tuple[str, list[str]]:
        """The name that a local part means, and its targets: names of accounts, addresses elsewhere."""
        folded = fold_local_part(local_part)
        names = [folded]
        base, plus, _ = folded.partition("+")
        if plus and base:
            names.append(base)
        for name in names:
            found = self._exactly(name)
            if found:
                return name, found
        catcher = self.by_id.get(self.wildcard) if self.wildcard is not None else None
        return folded, [catcher.name] if catcher is not None else []

    def _exactly(self, name: str) -> list[str]:
        if name in self.by_name:
            return [name]
        if name in self.aliases:
            return [target for target in self.aliases[name] if target in self.by_name or "@" in target]
        postmaster = self.postmaster
        if name in POSTMASTER_NAMES and postmaster is not None:
            return [postmaster.name]
        return []

    def dump(self) -> Any:
        return [[astuple(a) for a in self.by_id.values()], self.aliases, self.wildcard, self.position]

    def load(self, dumped: Any) -> None:
        accounts, self.aliases, self.wildcard, self.position = dumped
        self.by_id = {values[0]: _account(values) for values in accounts}
        self.by_name = {account.name: account for account in self.by_id.values()}

    # Folding: one method an event type.

    def account_added(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = Account(sequence, facts["name"], facts["postmaster"], time, position=sequence)
        self.by_id[sequence] = account
        self.by_name[account.name] = account
        self.position = sequence

    def account_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self.by_id.pop(facts["account"], None)
        if account is not None:
            self.by_name.pop(account.name, None)
        if self.wildcard == facts["account"]:
            self.wildcard = None
        self.position = sequence

    def account_disabled(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.disabled = facts["disabled"]

    def password_set(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.password = sequence

    def alias_added(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.aliases[facts["alias"]] = list(facts["targets"])
        self.position = sequence

    def alias_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.aliases.pop(facts["alias"], None)
        self.position = sequence

    def wildcard_set(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.wildcard = facts["account"]
        self.position = sequence

    def forward_set(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.forward, account.keeps = facts["address"], facts["keep"]

    def app_password_added(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.app_passwords[facts["label"]] = AppPassword(sequence, facts["label"], time)

    def app_password_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.app_passwords.pop(facts["label"], None)

    def app_password_used(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        for account in self.by_id.values():
            for app in account.app_passwords.values():
                if app.id == facts["app"]:
                    app.last_used, app.last_peer = time, facts["peer"]

    def quota_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self._touch(sequence, facts)
        if account is not None:
            account.quota = None if facts["quota"] is None else (facts["quota"][0], facts["quota"][1])

    def quota_told(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = self.by_id.get(facts["account"])
        if account is not None:
            account.quota_told, account.quota_lacking = facts["step"], facts.get("lacking", 0)

    def _touch(self, sequence: int, facts: Mapping[str, Any]) -> Account | None:
        account = self.by_id.get(facts["account"])
        if account is not None:
            account.position = sequence
        self.position = sequence
        return account
