"""neomutt, as mutt. It knows SCRAM only where modules of Cyrus SASL are installed; else app passwords go by LOGIN.

It does not file into Sent when it is not on a terminal.
"""

from tools.clients import mutt
from tools.clients.served import Served


def check(served: Served) -> str:
    """What `mutt` does."""
    return mutt.check(served, "neomutt", "")
