"""DKIM (RFC 6376; RFC 8301: SHA-256 only, RSA from 1024 bits; RFC 8463: Ed25519).

    canonical    the simple and relaxed forms of headers and bodies, streaming and linear
    keys         private keys from PEM or DER, and how each signs
    sign         the DKIM-Signature fields of one message
    record       the TXT record of a public key

Mail is signed once per key (RSA-2048 and Ed25519), relaxed/relaxed, over one body hash; `l=` is never written, since
what is appended to a message must not verify.
"""

from crockery.trust.dkim.canonical import BodyHash
from crockery.trust.dkim.keys import KeyFormatError, SigningKey, load_key
from crockery.trust.dkim.record import record_name, render_record, render_zone_line, split_strings
from crockery.trust.dkim.sign import sign, sign_message

__all__ = [
    "BodyHash",
    "KeyFormatError",
    "SigningKey",
    "load_key",
    "record_name",
    "render_record",
    "render_zone_line",
    "sign",
    "sign_message",
    "split_strings",
]
