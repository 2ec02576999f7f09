"""`crockery smart-host`: the same while the server runs and while not; its password is never shown."""

from pathlib import Path

import pytest

from tests.support.commands import crockery

SECRET = "correct-horse-battery"


def test_set_show_and_do_without(log: Path) -> None:
    assert crockery("smart-host", log=log).out.startswith("There is no smart host: ")
    done = crockery("smart-host", "SMTP.relay.example", "--user", "anna", "--password-stdin", log=log, stdin=SECRET)
    said = "All outgoing mail goes by smtp.relay.example, port 465 (TLS), with the login anna.\n"
    assert (done.code, done.out) == (0, said) and "`crockery dns`" in done.err
    assert "v=spf1 mx a:smtp.relay.example ~all" in crockery("dns", log=log).out
    found = crockery("smart-host", "--json", log=log).json
    expected = ("smtp.relay.example", 465, "implicit", "anna")
    assert (found["host"], found["port"], found["tls"], found["user"]) == expected
    assert found["trouble"] is None
    assert crockery("smart-host", "off", log=log).code == 0
    assert crockery("smart-host", "--json", log=log).json["host"] is None
    shown = crockery("log", "--json", log=log).out + crockery("log", log=log).out
    assert SECRET not in shown and "go by the smart host smtp.relay.example:465, with the login anna" in shown


@pytest.mark.parametrize(
    ("words", "port", "tls"),
    [
        ("relay.example", 465, "implicit"),
        ("relay.example --starttls", 587, "starttls"),
        ("relay.example --port 587", 587, "starttls"),
        ("relay.example:587", 587, "starttls"),
        ("relay.example:1465", 1465, "implicit"),
        ("192.0.2.7 --port 1587 --starttls", 1587, "starttls"),
    ],
)
def test_ports(log: Path, words: str, port: int, tls: str) -> None:
    found = crockery("smart-host", *words.split(), "--json", log=log).json
    assert (found["port"], found["tls"], found["user"]) == (port, tls, None)


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        ("off", "there is no smart host", 1),
        ("not_a_name", "is not a domain name", 1),
        ("mail.example.test", "mail would go round in circles", 1),
        ("relay.example --user anna", "no terminal to ask for the password on", 1),
        ("relay.example --password x", "needs the --user it belongs to", 2),
        ("relay.example --user anna --password x --password-stdin", "exclude one another", 2),
        ("off --user anna", "the options are for a HOST", 2),
        ("relay.example --port 70000", "is not in the range", 2),
    ],
)
def test_refused(log: Path, words: str, says: str, code: int) -> None:
    result = crockery("smart-host", *words.split(), log=log)
    assert result.code == code and says in result.err
    assert crockery("smart-host", "--json", log=log).json["host"] is None
