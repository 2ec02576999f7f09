"""Who may in: passwords of accounts and of apps."""

from dataclasses import dataclass

from crockery.actions.store import Store
from crockery.sasl import ScramSecret


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded."""

    account: int
    name: str
    """The account's name, without domain and label."""
    app: int
    """The app password used; 0: the account's own."""


class Logins:
    """Checks passwords."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def scram_server_secret(self) -> bytes:
        """What `sasl.ScramSha256` makes the salts of unknown users from; the same for the life of the log."""
        return bytes(16)

    async def check(self, name: str, password: str, peer: str) -> Login | None:
        """The login, or None. `name` is anna, anna@domain, anna/phone or anna@domain/phone."""
        raise NotImplementedError

    def scram_secret(self, name: str) -> ScramSecret | None:
        """The secret of an app password (`name` is anna/phone or anna@domain/phone); None: there is none."""
        raise NotImplementedError

    def scram_done(self, name: str, peer: str, ok: bool) -> Login | None:
        """What came of a SCRAM exchange; returns the login when it is good."""
        raise NotImplementedError

    def is_banned(self, peer: str) -> bool:
        """Whether to hang up on this peer before it says anything."""
        raise NotImplementedError
