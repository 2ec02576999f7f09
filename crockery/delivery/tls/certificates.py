"""Certificates that remote servers show: what they say, and whether they lead to somebody who is trusted.

RFC 5280 §6 (paths), RFC 9525 (names), RFC 6698 §2.1.2 (SubjectPublicKeyInfo). Pure. Invariant: whatever octets a
server showed, `describe` and `check` give a value and never an exception.

Paths are built and verified by `cryptography`, with what RFC 5280 asks for and without the further rules of the
browsers, which refuse many sound certificates of private CAs (no AKI, critical SAN). Nobody's revocation is checked:
hardly a mail server in the world does, and an attacker who can stop the mail can stop the check.
"""

import contextlib
import dataclasses
import datetime
import ipaddress
import ssl
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from crockery import limits
from crockery.delivery.tls.faults import Fault

# Critical extensions that `cryptography` deals with itself, or that say nothing against a mail server
_KNOWN: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A certificate for the record and for people. Hashes are SHA-256 in hex; times unix seconds."""

    fingerprint: str
    spki: str
    names: tuple[str, ...] = ()
    subject: str = ""
    issuer: str = ""
    not_before: int = 0
    not_after: int = 0


class Roots:
    """Certificates that are trusted: the system's CAs, or one that a TLSA record names."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        self._certificates = list(certificates)
        self._store = Store(self._certificates) if self._certificates else None

    @classmethod
    def of_system(cls) -> "Roots":
        """The CAs that this machine trusts; reading them takes some milliseconds and the disk. Raises nothing."""
        found = ssl.create_default_context().get_ca_certs(binary_form=True)
        folder = ssl.get_default_verify_paths().capath
        # OpenSSL reads a folder only when it needs a certificate of it, so the context does not know them.
        for path in sorted(Path(folder).glob("*.[0-9]")) if folder else ():
            with contextlib.suppress(OSError, ValueError):
                found.append(ssl.PEM_cert_to_DER_cert(_first(path.read_text("ascii", "ignore"))))
        return cls.of(dict.fromkeys(found))

    @classmethod
    def of(cls, ders: Iterable[bytes]) -> "Roots":
        """The certificates in DER; those that cannot be read are left out."""
        return cls(found for der in ders if (found := load(der)) is not None)

    @property
    def store(self) -> Store | None:
        """For `cryptography`, which has no empty one."""
        return self._store


def _first(pem: str) -> str:
    """The first certificate of a PEM file; there may be words before it."""
    begin, end = pem.index(ssl.PEM_HEADER), pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return pem[begin:end]


def load(der: bytes) -> x509.Certificate | None:
    """The certificate in DER, or None where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sins that are no danger, as serial numbers below zero
        try:
            certificate = x509.load_der_x509_certificate(der)
        except Exception:  # whatever a foreign parser thinks of a stranger's octets
            return None
    return certificate


def digest(octets: bytes) -> str:
    """SHA-256 in hex."""
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(octets)
    return hashed.finalize().hex()


def describe(der: bytes) -> Description:
    """What a certificate says; of one that cannot be read, its hash."""
    certificate = load(der)
    spki = digest(public_key_info(der) or b"")
    if certificate is None:
        return Description(digest(der), spki)
    try:
        return Description(
            digest(der),
            spki,
            _names(certificate),
            certificate.subject.rfc4514_string()[:200],
            certificate.issuer.rfc4514_string()[:200],
            int(certificate.not_valid_before_utc.timestamp()),
            int(certificate.not_valid_after_utc.timestamp()),
        )
    except Exception:  # fields are parsed when they are read
        return Description(digest(der), spki)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # there are none, or not to be read
        return ()
    domains = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return tuple(name[:255] for name in domains + addresses)[: limits.CERTIFICATE_NAMES_KEPT]


# --- paths ---


def check(chain: Sequence[bytes], names: Sequence[str], roots: Roots, now: int) -> Fault | None:
    """What is wrong with `chain` (DER, leaf first) for a server called any of `names` at unix time `now`; None: it
    leads from a leaf with such a name to one of `roots`."""
    certificates = [load(der) for der in chain[: limits.MAX_CHAIN]]
    leaf = certificates[0] if certificates else None
    if leaf is None:
        return Fault.UNREADABLE
    others = [certificate for certificate in certificates[1:] if certificate is not None]
    try:
        if roots.store is not None and any(_is_path(leaf, others, name, roots.store, now) for name in names):
            return None
        return _fault(leaf, names, now)
    except Exception:  # fields are parsed when they are read
        return Fault.UNREADABLE


def _is_path(leaf: x509.Certificate, others: list[x509.Certificate], name: str, store: Store, now: int) -> bool:
    builder = PolicyBuilder().store(store).time(datetime.datetime.fromtimestamp(now, datetime.UTC).replace(tzinfo=None))
    builder = builder.max_chain_depth(limits.MAX_CHAIN).extension_policies(ca_policy=_CA, ee_policy=_LEAF)
    try:
        path = builder.build_server_verifier(_subject(name)).verify(leaf, others)
    except VerificationError:
        return False
    return not any(field.critical and field.oid not in _KNOWN for part in path for field in part.extensions)


def _subject(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_ca(policy: Policy, certificate: x509.Certificate, field: x509.BasicConstraints) -> None:
    if not field.ca:
        raise ValueError("not the certificate of a CA")


def _may_sign(policy: Policy, certificate: x509.Certificate, field: x509.KeyUsage | None) -> None:
    if field is not None and not field.key_cert_sign:
        raise ValueError("a key that may not sign certificates")


def _may_serve(policy: Policy, certificate: x509.Certificate, field: x509.ExtendedKeyUsage | None) -> None:
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if field is not None and not any(usage in field for usage in usages):
        raise ValueError("a certificate that is not for servers")


_CA: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_ca)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_serve)
)
_LEAF: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_serve)
)


def _fault(leaf: x509.Certificate, names: Sequence[str], now: int) -> Fault:
    """Why there is no path, the plainest reason first."""
    if leaf.issuer == leaf.subject:
        return Fault.SELF_SIGNED
    if not any(is_named(known, name) for known in _names(leaf) for name in names):
        return Fault.WRONG_NAME
    if not leaf.not_valid_before_utc.timestamp() <= now <= leaf.not_valid_after_utc.timestamp():
        return Fault.EXPIRED
    return Fault.UNTRUSTED


def is_named(pattern: str, name: str) -> bool:
    """Whether `pattern`, perhaps `*.` and a domain, stands for `name`: the star for one whole label (RFC 9525 §6.3)."""
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:]
    return pattern == name


# --- the public key ---


def public_key_info(der: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo of a certificate exactly as encoded in it (RFC 5280 section 4.1); None: not to be found.

    Read by hand: encoding the key anew need not give the same octets, and keys of unknown kinds not even that.
    """
    try:
        start, _ = _element(der, 0)  # Certificate
        start, end = _element(der, start)  # TBSCertificate
        if der[start] == 0xA0:  # version
            start = _element(der, start)[1]
        for _ in range(5):  # serialNumber, signature, issuer, validity, subject
            start = _element(der, start)[1]
        stop = _element(der, start)[1]
        return der[start:stop] if stop <= end and der[start] == 0x30 else None
    except IndexError:
        return None


def _element(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the DER element at `at` starts, and where it ends. Raises IndexError past the end."""
    length, start = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[start : start + count], "big"), start + count
    if start + length > len(der):
        raise IndexError("an element longer than all")
    return start, start + length
