"""The TXT record of a public key (RFC 6376 §3.6.1, RFC 8463 §4), and how it is written in a zone."""

from base64 import b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crockery.trust.dkim.keys import PrivateKey

_STRING: Final = 255  # octets of one character-string (RFC 1035 §3.3.14)


def record_name(selector: str, domain: str) -> str:
    """Where the record of `selector` is published, without a final dot."""
    return f"{selector}._domainkey.{domain}"


def render_record(key: PrivateKey) -> str:
    """The record of the public half of `key`: v=DKIM1; h=sha256; k=...; p=..."""
    public = key.public_key()
    if isinstance(public, RSAPublicKey):
        kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; h=sha256; k={kind}; p={b64encode(octets).decode()}"


def split_strings(text: str) -> list[str]:
    """An ASCII `text` in pieces of at most 255 octets, as TXT records hold it; readers join them without blanks."""
    return [text[start : start + _STRING] for start in range(0, len(text), _STRING)] or [""]


def render_zone_line(name: str, text: str) -> str:
    """A TXT record in the form of zone files (RFC 1035 §5.1), `name` without its final dot."""
    quoted = ('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in split_strings(text))
    return f"{name}. IN TXT {' '.join(quoted)}"
