"""The terminals of responses and the status responses: values to octets (RFC 9051 sections 7.1 and 9).

Every function returns octets ready to send; those of whole responses end with CRLF. What is rendered is ours, so there
is nothing to refuse: text that cannot stand in a line is made to fit.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crockery.imap.wire import utf7
from crockery.imap.wire.dates import MONTHS
from crockery.imap.wire.errors import BadCommand
from crockery.limits import IMAP_QUOTED_MAX

Numbers = Sequence[int] | npt.NDArray[np.integer[Any]]

ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
QUOTABLE = re.compile(rb"[^\x00\r\n\x80-\xff]*+")
QUOTABLE_UTF8 = re.compile(rb"[^\x00\r\n]*+")
UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def render_quoted(value: bytes) -> bytes:
    """`quoted = DQUOTE *QUOTED-CHAR DQUOTE`; the value must be free of CR, LF and NUL."""
    if b"\\" in value or b'"' in value:
        value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % value


def render_literal(value: bytes, *, binary: bool = False) -> bytes:
    """`literal = "{" number64 "}" CRLF *CHAR8`, or `literal8`; the octets go as they are."""
    return render_literal_head(len(value), binary=binary) + value


def render_literal_head(size: int, *, binary: bool = False) -> bytes:
    """A literal's announcement alone, for octets sent separately."""
    return b"~{%d}\r\n" % size if binary else b"{%d}\r\n" % size


def render_string(value: bytes, *, utf8: bool = False) -> bytes:
    """`string = quoted / literal`: quoted where it can be. NUL, which neither may hold, is left out."""
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    if len(value) <= IMAP_QUOTED_MAX and (QUOTABLE_UTF8 if utf8 else QUOTABLE).fullmatch(value):
        return render_quoted(value)
    return render_literal(value)


def render_nstring(value: bytes | None, *, utf8: bool = False) -> bytes:
    """`nstring = string / nil`"""
    return b"NIL" if value is None else render_string(value, utf8=utf8)


def render_astring(value: bytes, *, utf8: bool = False) -> bytes:
    """`astring = 1*ASTRING-CHAR / string`: bare where nothing could take it for something else."""
    if ATOM.fullmatch(value) and value.upper() != b"NIL":
        return value
    return render_string(value, utf8=utf8)


def render_mailbox(name: str, *, utf8: bool = False) -> bytes:
    """`mailbox = "INBOX" / astring`: UTF-8 after ENABLE IMAP4rev2 or UTF8=ACCEPT, else modified UTF-7."""
    return render_astring(name.encode("utf-8") if utf8 else utf7.encode(name), utf8=utf8)


def render_flags(flags: Iterable[str]) -> bytes:
    """`flag-list = "(" [flag *(SP flag)] ")"`"""
    return b"(%b)" % " ".join(flags).encode("ascii")


def render_sequence_set(numbers: Numbers) -> bytes:
    """Numbers (unique, above 0, at least one) as `sequence-set`, in their order and in as few ranges as there are.

    Only what ascends becomes a range, so that expanding a sorted result gives its order back (RFC 5267 section 3.2).
    """
    column = np.asarray(numbers, dtype=np.int64)
    gaps = np.flatnonzero(column[1:] != column[:-1] + 1)
    starts = column[np.concatenate(([0], gaps + 1))]
    ends = column[np.concatenate((gaps, [len(column) - 1]))]
    # printed by list's own repr, the fastest there is: [1, -3, 7] becomes 1:3,7
    wanted = np.column_stack((np.ones(len(starts), dtype=bool), starts != ends)).ravel()
    marked = np.column_stack((starts, -ends)).ravel()[wanted]
    return str(marked.tolist())[1:-1].replace(", -", ":").replace(", ", ",").encode("ascii")


def render_internal_date(seconds: int) -> bytes:
    """`date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`, in UTC.

    `seconds` since 1970, of years 1 to 9999.
    """
    day, second = divmod(seconds, 86400)
    minute, second = divmod(second, 60)
    return b'%b %02d:%02d:%02d +0000"' % (render_day(day), *divmod(minute, 60), second)


@lru_cache(maxsize=4096)
def render_day(days: int) -> bytes:
    """A day since 1970 with its opening quote: mails of one mailbox share their days."""
    at = _EPOCH + timedelta(days=days)
    return b'"%2d-%b-%04d' % (at.day, MONTHS[at.month - 1], at.year)


def render_status(status: bytes, text: str, *, tag: bytes | None = None, code: bytes | None = None) -> bytes:
    """`response-tagged = tag SP resp-cond-state CRLF`, untagged without tag (RFC 9051 section 7.1).

    `status` is OK, NO, BAD, BYE or PREAUTH; `code` one of `response_codes`, without its brackets.
    """
    line = UNPRINTABLE.sub("?", text or "Done").encode("ascii")
    bracketed = b"[%b] " % code if code is not None else b""
    return b"%b %b %b%b\r\n" % (tag or b"*", status, bracketed, line)


def render_error(error: BadCommand) -> bytes:
    """The reply to what a client got wrong: tagged where the tag is known; a BYE is always untagged."""
    tag = None if error.status == b"BYE" else error.tag
    return render_status(error.status, error.text, tag=tag, code=error.code)


def render_continuation(text: str = "OK") -> bytes:
    """`continue-req = "+" SP (resp-text / base64) CRLF`: of IDLE, or of AUTHENTICATE with a challenge in base64."""
    return b"+ %b\r\n" % text.encode("ascii")
