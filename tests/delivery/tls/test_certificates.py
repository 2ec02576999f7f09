"""Chains under CAs: the sound, the unsound and the unreadable."""

import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from crockery.delivery.tls.certificates import Roots, check, describe, is_named, public_key_info
from crockery.delivery.tls.faults import Fault
from tests.support.certificates import CLIENT_ONLY, DAY, NOW, PEM, UNKNOWN_CRITICAL, Made, make

ROOT = make(ca=True, common_name="Root")
MIDDLE = make(ca=True, common_name="Middle", signer=ROOT)
SHORT = make(ca=True, common_name="Short-lived", signer=ROOT, end=NOW - 1)
NOT_A_CA = make("ca.test", common_name="No CA", signer=ROOT)
CONSTRAINED = make(
    ca=True,
    common_name="Constrained",
    signer=ROOT,
    extensions=((x509.NameConstraints([x509.DNSName("elsewhere.test")], None), True),),
)
ROOTS = Roots.of([ROOT.der])
HOST = "mx.example.test"

CHAINS: dict[str, tuple[Made, Fault | None]] = {
    "good": (make(HOST, signer=MIDDLE), None),
    "directly under the root": (make(HOST, signer=ROOT), None),
    "wildcard": (make("*.example.test", signer=MIDDLE), None),
    "one of many names": (make("a.test", HOST.upper(), signer=MIDDLE), None),
    "wrong name": (make("mx.other.test", signer=MIDDLE), Fault.WRONG_NAME),
    "wildcard too high": (make("*.test", signer=MIDDLE), Fault.WRONG_NAME),
    "no names": (make(common_name=HOST, signer=MIDDLE), Fault.WRONG_NAME),
    "expired": (make(HOST, signer=MIDDLE, begin=NOW - 9 * DAY, end=NOW - 1), Fault.EXPIRED),
    "not valid yet": (make(HOST, signer=MIDDLE, begin=NOW + 60), Fault.EXPIRED),
    "self-signed": (make(HOST), Fault.SELF_SIGNED),
    "self-signed with another name": (make("other.test"), Fault.SELF_SIGNED),
    "an unknown CA": (make(HOST, signer=make(ca=True, common_name="Unknown")), Fault.UNTRUSTED),
    "a CA of the same name": (make(HOST, signer=make(ca=True, common_name="Root")), Fault.UNTRUSTED),
    "an expired CA": (make(HOST, signer=SHORT), Fault.UNTRUSTED),
    "signed by a server": (make(HOST, signer=NOT_A_CA), Fault.UNTRUSTED),
    "name constraints": (make(HOST, signer=CONSTRAINED), Fault.UNTRUSTED),
    "for clients only": (make(HOST, signer=MIDDLE, extensions=(CLIENT_ONLY,)), Fault.UNTRUSTED),
    "an unknown critical extension": (make(HOST, signer=MIDDLE, extensions=(UNKNOWN_CRITICAL,)), Fault.UNTRUSTED),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str) -> None:
    made, fault = CHAINS[name]
    assert check(made.chain, [HOST], ROOTS, NOW) is fault
    assert check(made.chain, ["x.other.example", HOST], ROOTS, NOW) is fault
    assert check(made.chain, [HOST], Roots.of([]), NOW) is not None


def test_a_chain_may_be_out_of_order_and_hold_rubbish() -> None:
    good = CHAINS["good"][0]
    assert check([good.der, b"rubbish", ROOT.der, MIDDLE.der], [HOST], ROOTS, NOW) is None
    assert check([good.der], [HOST], ROOTS, NOW) is Fault.UNTRUSTED
    assert check([], [HOST], ROOTS, NOW) is Fault.UNREADABLE
    assert check([b"rubbish", good.der, MIDDLE.der], [HOST], ROOTS, NOW) is Fault.UNREADABLE


def test_addresses_are_names_too() -> None:
    made = make("192.0.2.1", "2001:db8::1", signer=MIDDLE)
    assert check(made.chain, ["192.0.2.1"], ROOTS, NOW) is None
    assert check(made.chain, ["2001:db8::1"], ROOTS, NOW) is None
    assert check(made.chain, ["192.0.2.2"], ROOTS, NOW) is Fault.WRONG_NAME


@pytest.mark.parametrize("where", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_systems_cas_are_found_in_a_file_or_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    assert check(CHAINS["good"][0].chain, [HOST], Roots.of_system(), NOW) is Fault.UNTRUSTED
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "0a1b2c3d.0").write_text("Our root:\n" + ROOT.certificate.public_bytes(PEM).decode())
    (folder / "0a1b2c3d.1").write_text("nothing")
    monkeypatch.setenv(where, str(folder / "0a1b2c3d.0" if where == "SSL_CERT_FILE" else folder))
    assert check(CHAINS["good"][0].chain, [HOST], Roots.of_system(), NOW) is None


def test_what_a_certificate_says() -> None:
    made = make("MX.example.test", "192.0.2.1", signer=MIDDLE)
    said = describe(made.der)
    assert said.names == ("mx.example.test", "192.0.2.1")
    assert (said.subject, said.issuer) == ("CN=MX.example.test", "CN=Middle")
    assert (said.not_before, said.not_after) == (NOW - DAY, NOW + 30 * DAY)
    assert said.fingerprint == hashlib.sha256(made.der).hexdigest()
    renewed = make("mx.example.test", signer=MIDDLE, key=made.key)
    assert describe(renewed.der).spki == said.spki != describe(CHAINS["good"][0].der).spki


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["EC", "RSA", "Ed25519"],
)
def test_the_public_key_is_found(key: ec.EllipticCurvePrivateKey) -> None:
    made = make(HOST, signer=ROOT, key=key)
    expected = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public_key_info(made.der) == expected


@given(st.binary(max_size=80), st.integers(0, 2000), st.integers(0, 255))
def test_no_octets_raise(rubbish: bytes, at: int, octet: int) -> None:
    der = CHAINS["good"][0].der
    spoilt = bytearray(der)
    spoilt[at % len(der)] = octet
    for octets in (rubbish, der[: at % len(der)], bytes(spoilt), der[:40] + rubbish):
        public_key_info(octets)
        describe(octets)
        check([octets, MIDDLE.der], [HOST], ROOTS, NOW)
        check([der, octets], [HOST], ROOTS, NOW)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("a.test", "A.test.", True),
        ("*.a.test", "b.a.test", True),
        ("*.A.test", "B.a.Test", True),
        ("*.a.test", "a.test", False),
        ("*.a.test", "c.b.a.test", False),
        ("*.a.test", ".a.test", False),
        ("b*.a.test", "bc.a.test", False),
        ("*", "a", False),
        ("a.test", "b.test", False),
    ],
)
def test_names(pattern: str, name: str, expected: bool) -> None:
    assert is_named(pattern, name) is expected
