"""What a client has switched on, by ENABLE (RFC 5161) or by using it: the behaviour that others must not see."""

from dataclasses import dataclass
from typing import Final

ENABLEABLE: Final = {
    "IMAP4REV2": "IMAP4rev2",
    "UTF8=ACCEPT": "UTF8=ACCEPT",
    "CONDSTORE": "CONDSTORE",
    "QRESYNC": "QRESYNC",
    "UIDONLY": "UIDONLY",
    "METADATA": "METADATA",
}
"""What ENABLE can switch on, in upper case, and its usual spelling."""


@dataclass(slots=True)
class Features:
    """One session's; its selected mailbox shares them. Nothing is ever switched off."""

    rev2: bool = False
    """IMAP4rev2: SEARCH answers ESEARCH, nothing is \\Recent."""
    utf8_accept: bool = False
    """UTF8=ACCEPT (RFC 9755)."""
    condstore: bool = False
    """MODSEQ is told with all flags (RFC 7162 §3.1)."""
    qresync: bool = False
    """Expunges are told by UID, and flags with it (RFC 7162 §3.2)."""
    uid_only: bool = False
    """There are no message sequence numbers (RFC 9586)."""

    @property
    def utf8(self) -> bool:
        """Names, ENVELOPE and BODYSTRUCTURE are UTF-8."""
        return self.rev2 or self.utf8_accept

    @property
    def vanishes(self) -> bool:
        """VANISHED stands for EXPUNGE."""
        return self.qresync or self.uid_only

    def enable(self, name: str) -> None:
        """Switch on one of ENABLEABLE."""
        match name:
            case "IMAP4REV2":
                self.rev2 = True
            case "UTF8=ACCEPT":
                self.utf8_accept = True
            case "CONDSTORE":
                self.condstore = True
            case "QRESYNC":
                self.qresync = self.condstore = True
            case "UIDONLY":
                self.uid_only = True
