"""PLAIN, LOGIN and the base64 lines around every exchange."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.sasl import (
    Challenge,
    Credentials,
    Exchange,
    Failure,
    FailureKind,
    Login,
    Plain,
    ScramSha256,
)

ANNA = Credentials("", "anna", "secret")
LONG = b"x" * (limits.SASL_MAX_TEXT + 1)

PLAIN_MESSAGES = {
    "plain": (b"\0anna\0secret", ANNA),
    "same authzid": (b"anna\0anna\0secret", Credentials("anna", "anna", "secret")),
    "UTF-8": ("\0änna\0pässwörd €".encode(), Credentials("", "änna", "pässwörd €")),
    "other authzid": (b"bob\0anna\0secret", FailureKind.REJECTED),
    "empty": (b"", FailureKind.MALFORMED),
    "no NUL": (b"anna", FailureKind.MALFORMED),
    "one NUL": (b"anna\0secret", FailureKind.MALFORMED),
    "three NUL": (b"\0anna\0secret\0", FailureKind.MALFORMED),
    "no name": (b"\0\0secret", FailureKind.MALFORMED),
    "no password": (b"\0anna\0", FailureKind.MALFORMED),
    "Latin-1": (b"\0\xe4nna\0secret", FailureKind.MALFORMED),
    "long": (b"\0anna\0" + LONG, FailureKind.MALFORMED),
    "longest": (b"\0anna\0" + LONG[1:], Credentials("", "anna", LONG[1:].decode())),
}


@pytest.mark.parametrize("name", PLAIN_MESSAGES)
def test_plain(name: str) -> None:
    message, expected = PLAIN_MESSAGES[name]
    step = Plain().step(message)
    assert (step.kind if isinstance(step, Failure) else step) == expected


def test_plain_asks_for_nothing_if_nothing_came() -> None:
    plain = Plain()
    assert plain.step(None) == Challenge(b"")
    assert plain.step(b"\0anna\0secret") == ANNA


def test_login() -> None:
    login = Login()
    assert login.step(None) == Challenge(b"Username:")
    assert login.step(b"anna") == Challenge(b"Password:")
    assert login.step(b"secret") == ANNA


def test_login_takes_the_name_as_initial_response() -> None:
    login = Login()
    assert login.step(b"anna") == Challenge(b"Password:")
    assert login.step(b"secret") == ANNA


@pytest.mark.parametrize("responses", [[b""], [b"anna", b""], [b"\xff"], [b"a\0b"], [LONG], [b"anna", LONG]])
def test_login_malformed(responses: list[bytes]) -> None:
    login = Login()
    *_, step = [login.step(response) for response in responses]
    assert isinstance(step, Failure)
    assert step.kind is FailureKind.MALFORMED


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(ANNA)


LINES = {
    "base64": (b"AGFubmEAc2VjcmV0", ANNA),
    "cancelled": (b"*", FailureKind.CANCELLED),
    "blank": (b"AGFubmEAc2VjcmV0 ", FailureKind.MALFORMED),
    "star in it": (b"AGFubmEAc2VjcmV0*", FailureKind.MALFORMED),
    "URL alphabet": (b"AGFubmEAc2Vj__--", FailureKind.MALFORMED),
    "no padding": (b"AGFubmEAcw", FailureKind.MALFORMED),
    "too much padding": (b"AGFubmEAc2VjcmV0=", FailureKind.MALFORMED),
    "bits behind the end": (b"AGFubmEAcz==", FailureKind.MALFORMED),
    "two": (b"AGFubmEAcw==AGFubmEAcw==", FailureKind.MALFORMED),
    "not ASCII": (b"\xc3\xa4\xc3\xa4", FailureKind.MALFORMED),
    "empty": (b"", FailureKind.MALFORMED),
    "equals": (b"=", FailureKind.MALFORMED),
}


@pytest.mark.parametrize("name", LINES)
def test_lines(name: str) -> None:
    line, expected = LINES[name]
    exchange = Exchange(Plain())
    assert exchange.begin(None) == Challenge(b"")
    step = exchange.respond(line)
    assert (step.kind if isinstance(step, Failure) else step) == expected
    step = Exchange(Plain()).begin(line)
    assert (step.kind if isinstance(step, Failure) else step) == expected


def test_the_empty_initial_response_is_a_response() -> None:
    step = Exchange(Login()).begin(b"=")
    assert isinstance(step, Failure)


def test_challenges_are_base64() -> None:
    assert Challenge(b"Username:").encoded == b"VXNlcm5hbWU6"
    assert Challenge(b"").encoded == b""


@given(responses=st.lists(st.binary(max_size=60), max_size=4), known=st.booleans())
def test_soup_gives_steps_and_no_exception(responses: list[bytes], known: bool) -> None:
    for mechanism in (Plain(), Login(), ScramSha256(lambda user: None, b"k" * 16, "nonce")):
        for response in responses:
            step = mechanism.step(response)
            if not isinstance(step, Challenge):
                break


@given(line=st.binary(max_size=40))
def test_lines_of_soup(line: bytes) -> None:
    step = Exchange(Plain()).begin(line)
    assert isinstance(step, Failure | Credentials)


@given(octets=st.binary(max_size=40))
def test_base64_is_an_inverse(octets: bytes) -> None:
    exchange = Exchange(_Echo())
    assert exchange.respond(base64.b64encode(octets)) == Challenge(octets)


class _Echo:
    def step(self, response: bytes | None) -> Challenge:
        return Challenge(response or b"")
