"""Who does something: a session of an account, or the server itself."""

from dataclasses import dataclass


@dataclass(slots=True)
class Actor:
    """A session. `number` is its SessionOpened event, 0 until its first effect is appended.

    One object lives as long as the session does, so that all its events name the same number.
    """

    account: int
    """The account's id; 0: whoever holds the control socket, or the server itself."""
    protocol: str
    peer: str = ""
    client: str = ""
    tls: str = ""
    app: int = 0
    """The app password used, if one was."""
    number: int = 0

    @property
    def is_server(self) -> bool:
        return self.protocol == "server"


def the_server() -> Actor:
    """The server acting on its own account; its events have `by` 0."""
    return Actor(0, "server")
