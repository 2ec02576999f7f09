"""New DKIM keys (RFC 8301 §3.2, RFC 8463). Where they are kept is not said here."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crockery.trust.dkim.keys import PrivateKey

_RSA_BITS: Final = 2048  # longer ones do not fit one UDP answer, and some receivers refuse them
_RSA_EXPONENT: Final = 65537


@dataclass(frozen=True, slots=True)
class NewKey:
    """A selector, and the private key as PKCS #8 DER: a secret."""

    selector: str
    private: bytes


def generate_keys(stamp: str) -> tuple[NewKey, NewKey]:
    """An RSA-2048 and an Ed25519 key; takes some tenth of a second.

    Args:
        stamp: what sets their selectors apart from those of other times, e.g. "202611": letters, digits, hyphens.
    """
    rsa = generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    return NewKey(f"rsa{stamp}", _der(rsa)), NewKey(f"ed{stamp}", _der(Ed25519PrivateKey.generate()))


def _der(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
