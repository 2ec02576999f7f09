"""The DKIM-Signature fields for one message, by the domain of its author."""

from collections.abc import Iterable, Mapping, Sequence

from crockery.limits import INTAKE_MAX_HEADER
from crockery.message.addresses import AddressError, parse_mailboxes
from crockery.message.headers import header_length, read_fields, starts_header, unfold
from crockery.smtp.wire import AddressError as BadDomain
from crockery.smtp.wire import parse_domain
from crockery.trust.dkim import BodyHash, SigningKey, sign

Keys = Mapping[str, Sequence[SigningKey]]
"""The keys of each domain of ours."""


def signature_of(pieces: Iterable[bytes], keys: Keys, now: int) -> bytes:
    """The fields for a message in pieces of any size, b"" for none, at Unix time `now`. Raises what `pieces` does."""
    header, body = b"", BodyHash()
    is_body = False
    for piece in pieces:
        if is_body:
            body.update(piece)
            continue
        header += piece
        end = header.find(b"\r\n\r\n")
        if end >= 0 or len(header) > INTAKE_MAX_HEADER or not starts_header(header[:1000]):
            length = header_length(header)
            body.update(header[length:])
            header, is_body = header[:length], True
    domain = _author_domain(header)
    return sign(header, body.digest(), domain, keys[domain], time=now) if domain in keys else b""


def _author_domain(header: bytes) -> str:
    """The one domain that all of From is of; "" where there is none."""
    value = read_fields(header).get(b"from")
    try:
        domains = {parse_domain(spec.rpartition("@")[2]) for spec in parse_mailboxes(unfold(value or b""))}
    except (AddressError, BadDomain):
        return ""
    return domains.pop() if len(domains) == 1 else ""
