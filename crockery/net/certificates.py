"""Certificates as facts and files: what one says of itself, and making one that nobody vouches for."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crockery.actions.server import NewCertificate
from crockery.limits import SELF_SIGNED_DAYS
from crockery.net.tls import CertificateUnusable, make_context


def self_signed(hostname: str, now: int) -> NewCertificate:
    """A new key (P-256) and a certificate for `hostname`, signed with itself; `now` in unix seconds."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime.datetime.fromtimestamp(now, datetime.UTC).replace(microsecond=0)
    end = begin + datetime.timedelta(days=SELF_SIGNED_DAYS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - datetime.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    return described(pem, "self-signed")


def described(pem: bytes, source: str) -> NewCertificate:
    """What a key and its chain (PEM) are, once they are known to work. Raises CertificateUnusable."""
    make_context(pem)
    try:
        leaf = x509.load_pem_x509_certificates(pem)[0]
    except (ValueError, IndexError) as error:
        raise CertificateUnusable(f"the certificate cannot be read: {error}") from error
    fingerprint = leaf.fingerprint(hashes.SHA256()).hex()
    return NewCertificate(source, _names(leaf), int(leaf.not_valid_after_utc.timestamp()), fingerprint, pem)


def from_files(certificate: Path, key: Path) -> tuple[NewCertificate, bytes]:
    """A certificate that lives in files: what goes into the log (without the key), and the PEM of both.

    Raises CertificateUnusable.
    """
    pem = b""
    for path in (key, certificate):
        try:
            pem += path.read_bytes() + b"\n"
        except OSError as error:
            raise CertificateUnusable(f"{path} cannot be read: {error.strerror}") from error
    found = described(pem, "file")
    in_files = found._replace(pem=b"", certificate_path=str(certificate.absolute()), key_path=str(key.absolute()))
    return in_files, pem


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return list(extension.value.get_values_for_type(x509.DNSName))
