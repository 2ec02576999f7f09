"""Private keys of DKIM: rsa-sha256 (RFC 8301) and ed25519-sha256 (RFC 8463)."""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

_RSA_MIN: Final = 1024  # bits; RFC 8301 §3.2: signers must not use less
_SHA256: Final = SHA256()
_PADDING: Final = PKCS1v15()

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class KeyFormatError(ValueError):
    """Octets that are no private key DKIM can sign with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the selector under which its public half is in DNS."""

    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """The `a=` tag."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`; Ed25519 signs its SHA-256 (RFC 8463 §3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, _PADDING, _SHA256)
        return self.private.sign(hashlib.sha256(data).digest())


def load_key(data: bytes) -> PrivateKey:
    """The private key in unencrypted PEM or DER (PKCS #8, or PKCS #1 for RSA). Raises KeyFormatError."""
    try:
        if data.lstrip().startswith(b"-----"):
            key = load_pem_private_key(data, None)
        else:
            key = load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError("not a private key in PEM or DER without a password") from error
    if isinstance(key, RSAPrivateKey):
        if key.key_size < _RSA_MIN:
            raise KeyFormatError(f"an RSA key of {key.key_size} bits is too short for DKIM")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise KeyFormatError("a DKIM key is RSA or Ed25519")
