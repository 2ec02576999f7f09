"""SCRAM-SHA-256 against the vector of RFC 7677, an independent client, and liars."""

import base64
import hashlib
import hmac

import pytest
import scramp
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery import limits
from crockery.sasl import Challenge, Failure, FailureKind, ScramSecret, ScramSha256, Step, Verified, scram_verifier

SECRET = scram_verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
JOINT = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
PROOF = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


def server(user: str = "user", secret: ScramSecret = SECRET, nonce: str = SERVER_NONCE) -> ScramSha256:
    return ScramSha256({user: secret}.get, b"server secret of ours", nonce)


def kind(step: Step) -> FailureKind | None:
    return step.kind if isinstance(step, Failure) else None


def test_vector_of_rfc_7677() -> None:
    mechanism = server()
    assert mechanism.step(None) == Challenge(b"")
    assert mechanism.step(CLIENT_FIRST) == Challenge(b"r=" + JOINT + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    final = mechanism.step(b"c=biws,r=" + JOINT + b",p=" + PROOF)
    assert final == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert mechanism.step(b"") == Verified("user")


def scramp_exchange(user: str, password: str, mechanism: ScramSha256) -> Step:
    client = scramp.ScramClient(["SCRAM-SHA-256"], user, password)
    step = mechanism.step(client.get_client_first().encode())
    if not isinstance(step, Challenge):
        return step
    client.set_server_first(step.data.decode())
    step = mechanism.step(client.get_client_final().encode())
    if not isinstance(step, Challenge):
        return step
    client.set_server_final(step.data.decode())  # raises if the server's proof is wrong
    return mechanism.step(b"")


@pytest.mark.parametrize("user", ["anna/phone", "a,b=c", "änna"])
def test_an_independent_client(user: str) -> None:
    secret = scram_verifier("pässword", b"0123456789abcdef", 4096)
    assert scramp_exchange(user, "pässword", server(user, secret, "abc")) == Verified(user)
    assert kind(scramp_exchange(user, "wrong", server(user, secret, "abc"))) is FailureKind.REJECTED
    assert kind(scramp_exchange("nobody", "pässword", server(user, secret, "abc"))) is FailureKind.REJECTED


def test_scramp_makes_the_same_verifier() -> None:
    theirs = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info("pencil", iteration_count=4096, salt=SECRET.salt)
    assert theirs == (SECRET.salt, SECRET.stored_key, SECRET.server_key, 4096)


CLIENT_FIRSTS = {
    "no channel binding": (b"n,,n=user,r=x", None),
    "client could bind": (b"y,,n=user,r=x", None),
    "authzid": (b"n,a=user,n=user,r=x", None),
    "extension": (b"n,,n=user,r=x,z=later", None),
    "other authzid": (b"n,a=root,n=user,r=x", FailureKind.REJECTED),
    "channel binding": (b"p=tls-exporter,,n=user,r=x", FailureKind.MALFORMED),
    "mandatory extension": (b"n,,m=x,n=user,r=x", FailureKind.MALFORMED),
    "empty": (b"", FailureKind.MALFORMED),
    "no name": (b"n,,n=,r=x", FailureKind.MALFORMED),
    "no nonce": (b"n,,n=user,r=", FailureKind.MALFORMED),
    "no gs2": (b"n=user,r=x", FailureKind.MALFORMED),
    "bad escape": (b"n,,n=us=2cer,r=x", FailureKind.MALFORMED),
    "bare equals": (b"n,,n=us=er,r=x", FailureKind.MALFORMED),
    "NUL": (b"n,,n=us\0er,r=x", FailureKind.MALFORMED),
    "control": (b"n,,n=us\x07er,r=x", FailureKind.MALFORMED),
    "Latin-1": (b"n,,n=\xe4,r=x", FailureKind.MALFORMED),
    "nothing after mapping": ("n,,n=\u00ad,r=x".encode(), FailureKind.MALFORMED),
    "newline": (b"n,,n=user,r=x\n", FailureKind.MALFORMED),
    "long": (b"n,,n=" + b"u" * 2000 + b",r=x", FailureKind.MALFORMED),
}


@pytest.mark.parametrize("name", CLIENT_FIRSTS)
def test_client_first(name: str) -> None:
    message, expected = CLIENT_FIRSTS[name]
    step = server().step(message)
    assert kind(step) is expected
    if expected is None:
        assert isinstance(step, Challenge)
        assert step.data.startswith(b"r=x" + SERVER_NONCE.encode())


CLIENT_FINALS = {
    "right": (b"c=biws,r=" + JOINT + b",p=" + PROOF, None),
    "other proof": (b"c=biws,r=" + JOINT + b",p=" + base64.b64encode(b"x" * 32), FailureKind.REJECTED),
    "short proof": (b"c=biws,r=" + JOINT + b",p=eHg=", FailureKind.REJECTED),
    "proof is no base64": (b"c=biws,r=" + JOINT + b",p=e", FailureKind.REJECTED),
    "other gs2 header": (b"c=eSws,r=" + JOINT + b",p=" + PROOF, FailureKind.MALFORMED),
    "other nonce": (b"c=biws,r=x" + JOINT + b",p=" + PROOF, FailureKind.MALFORMED),
    "client's nonce alone": (b"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=" + PROOF, FailureKind.MALFORMED),
    "extension changes the proof": (b"c=biws,r=" + JOINT + b",z=x,p=" + PROOF, FailureKind.REJECTED),
    "no proof": (b"c=biws,r=" + JOINT, FailureKind.MALFORMED),
    "empty": (b"", FailureKind.MALFORMED),
}


@pytest.mark.parametrize("name", CLIENT_FINALS)
def test_client_final(name: str) -> None:
    message, expected = CLIENT_FINALS[name]
    mechanism = server()
    mechanism.step(CLIENT_FIRST)
    assert kind(mechanism.step(message)) is expected


def test_the_gs2_header_is_part_of_the_proof() -> None:
    """A client that could bind (`y`) says so in its second message too, else somebody changed the first."""
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", SECRET.salt, SECRET.iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    for binding, outcome in ((b"eSws", None), (b"biws", FailureKind.MALFORMED)):
        mechanism = server()
        challenge = mechanism.step(b"y,,n=user,r=abc")
        assert isinstance(challenge, Challenge)
        bare = b"c=" + binding + b",r=abc" + SERVER_NONCE.encode()
        message = b"n=user,r=abc," + challenge.data + b"," + bare
        signature = hmac.digest(SECRET.stored_key, message, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True)))
        assert kind(mechanism.step(bare + b",p=" + proof)) is outcome


def test_the_client_has_nothing_to_add() -> None:
    mechanism = server()
    mechanism.step(CLIENT_FIRST)
    mechanism.step(CLIENT_FINALS["right"][0])
    assert kind(mechanism.step(b"x")) is FailureKind.MALFORMED


def test_an_unknown_user_looks_like_a_known_one() -> None:
    """The salt is there, has the usual size, is the same each time, and differs by name and by server."""

    def first(user: bytes, server_secret: bytes = b"server secret of ours") -> bytes:
        step = ScramSha256(lambda name: None, server_secret, "nonce").step(b"n,,n=" + user + b",r=x")
        assert isinstance(step, Challenge)
        return step.data

    _, salt, iterations = first(b"nobody").split(b",")
    assert len(base64.b64decode(salt[2:])) == 16
    assert iterations == b"i=%d" % limits.SCRAM_ITERATIONS
    assert first(b"nobody") == first(b"nobody")
    assert first(b"nobody") != first(b"somebody")
    assert first(b"nobody") != first(b"nobody", b"another secret")


def test_knowing_how_a_pretended_salt_is_made_opens_nothing() -> None:
    """Even the proof that fits the pretended secret is refused."""
    password_secret = scram_verifier("x", b"0123456789abcdef", 4096)
    mechanism = ScramSha256(lambda user: None, b"k", "abc")
    mechanism._pretended_secret = lambda user: password_secret  # type: ignore[method-assign]
    assert kind(scramp_exchange("nobody", "x", mechanism)) is FailureKind.REJECTED


def test_secrets_are_not_shown() -> None:
    assert repr(SECRET.stored_key) not in repr(SECRET)
    assert repr(SECRET.server_key) not in repr(SECRET)


@settings(max_examples=300)
@given(
    first=st.one_of(st.binary(max_size=50), st.text("n,y=apr xé\0", max_size=30).map(str.encode)),
    final=st.one_of(st.binary(max_size=50), st.text("c=biws,rp=xz", max_size=30).map(str.encode)),
)
def test_soup(first: bytes, final: bytes) -> None:
    mechanism = server()
    if isinstance(mechanism.step(first), Challenge):
        assert isinstance(mechanism.step(final), Failure)
    mechanism = server()
    mechanism.step(CLIENT_FIRST)
    assert isinstance(mechanism.step(final), Failure)
