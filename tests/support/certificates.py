"""Certificates of every kind for tests, and TLSA records for them."""

import dataclasses
import datetime
import hashlib
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crockery.delivery.tls.certificates import public_key_info
from crockery.net.resolver import TLSA

NOW = 1_800_000_000
DAY = 86_400
DER = serialization.Encoding.DER
PEM = serialization.Encoding.PEM


@dataclasses.dataclass(frozen=True)
class Made:
    """A certificate with its key, and the certificates of those above it, nearest first."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What a server shows: without the root."""
        return (self.der, *(one.public_bytes(DER) for one in self.above[:-1]))

    def server_context(self, folder: Path) -> ssl.SSLContext:
        """A server's context that shows this chain, root included."""
        file = folder / f"{self.certificate.serial_number}.pem"
        key = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(key + b"".join(one.public_bytes(PEM) for one in (self.certificate, *self.above)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def make(
    *names: str,
    signer: Made | None = None,
    ca: bool = False,
    common_name: str = "",
    begin: int = NOW - DAY,
    end: int = NOW + 30 * DAY,
    key: ec.EllipticCurvePrivateKey | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> Made:
    """A certificate for `names`, signed by `signer`, else by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or (names[0] if names else "CA"))])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime.fromtimestamp(begin, datetime.UTC))
        .not_valid_after(datetime.datetime.fromtimestamp(end, datetime.UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(signer.key if signer else key, hashes.SHA256())
    return Made(certificate, key, (signer.certificate, *signer.above) if signer else ())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


CLIENT_ONLY = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
UNKNOWN_CRITICAL = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)


def tlsa(der: bytes, usage: int = 3, selector: int = 1, matching: int = 1) -> TLSA:
    """The record that names this certificate or its key."""
    selected = der if selector == 0 else public_key_info(der)
    assert selected is not None
    data = {0: selected, 1: hashlib.sha256(selected).digest(), 2: hashlib.sha512(selected).digest()}[matching]
    return TLSA(usage, selector, matching, data)
