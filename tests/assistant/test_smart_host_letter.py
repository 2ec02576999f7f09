"""What the owner is told of a smart host that takes no mail: what happened, and the command that helps."""

import pytest

from crockery.assistant.letter import render_text
from crockery.assistant.smart_host_letter import smart_host_letter
from crockery.projections.smart_host import LOGIN, TLS, UNKNOWN, SmartHost, Trouble


@pytest.mark.parametrize(
    ("why", "tls", "user", "waiting", "parts"),
    [
        (LOGIN, "implicit", "anna", 1, ('(user name "anna")', "One message waits", "--port 465 --user anna\n")),
        (LOGIN, "implicit", "", 3, ("it wants a user name and a password", "3 messages wait", "--user NAME\n")),
        (TLS, "starttls", "anna", 3, ("neither mail nor your password is sent", "--port 465 --starttls --user anna\n")),
        (UNKNOWN, "implicit", "", 3, ("it cannot go there now", "smart-host smtp.relay.test --port 465\n")),
    ],
)
def test_letter(why: str, tls: str, user: str, waiting: int, parts: tuple[str, ...]) -> None:
    smart = SmartHost(1, 0, "smtp.relay.test", 465, tls, user)
    letter = smart_host_letter(smart, Trouble(0, why, "535 5.7.8 no"), waiting)
    text = render_text(letter, "Crockery")
    assert "  535 5.7.8 no\n" in text and "  crockery smart-host off\n" in text
    assert letter.subject.startswith("Outgoing mail waits: ") and "smtp.relay.test" in letter.subject
    for part in parts:
        assert part in text or part in " ".join(text.split())
