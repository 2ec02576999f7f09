"""Messages that are nearly right, as Hypothesis strategies; and a reader of the lists that answer questions on them."""

import re

from hypothesis import strategies as st

_LINES = [
    b"", b"text", b"--b", b"--b--", b"--bb", b"--bb--", b"-- ", b"From x", b" folded", b"Subject: x", b"a@b, c <d@e>",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: multipart/alternative; boundary=bb",
    b"Content-Type: message/rfc822", b"Content-Type: multipart/digest; boundary=b", b"Content-Type: text/html",
    b"Content-Type: message/global", b"Content-Transfer-Encoding: base64", b'To: "Q" <a@b>, G: c@d;',
    b"Subject: \xc3\xbc\0", b"Content-Disposition: attachment; filename*=utf-8''%fc", b"Content-Language: a, b",
    b"From: =?koi8-r?B?8NLJ18XU?= <a@b>", b'Content-Type: a/b; name="\\"', b"\xff: \xfe", b":", b"Date: 1 Jan 20",
]  # fmt: skip
_ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b""]


def messages() -> st.SearchStrategy[bytes]:
    """Lines that matter to a MIME parser, in any order, mostly ended as they should be."""
    line = st.tuples(st.sampled_from(_LINES), st.sampled_from(_ENDS)).map(b"".join)
    return st.lists(line, max_size=30).map(b"".join)


def read_list(data: bytes) -> list[object]:
    """An IMAP parenthesised list as nested lists of bytes, int and None; ValueError where the grammar is broken."""
    value, end = _read_value(data, 0)
    if end != len(data) or not isinstance(value, list):
        raise ValueError(data)
    return value


def _read_value(data: bytes, position: int) -> tuple[object, int]:
    if data.startswith(b"(", position):
        items: list[object] = []
        position += 1
        while not data.startswith(b")", position):
            if items and data.startswith(b" ", position):
                position += 1
            elif items and not (isinstance(items[-1], list) and data.startswith(b"(", position)):
                raise ValueError(data[position:])
            item, position = _read_value(data, position)
            items.append(item)
        if not items:
            raise ValueError("empty list")
        return items, position + 1
    if match := re.compile(rb"NIL|\d+").match(data, position):
        return (None if match[0] == b"NIL" else int(match[0])), match.end()
    if match := re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"').match(data, position):
        return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
    if match := re.compile(rb"\{(\d+)\}\r\n").match(data, position):
        content = data[match.end() : match.end() + int(match[1])]
        if len(content) != int(match[1]) or b"\0" in content:
            raise ValueError(data[position:])
        return content, match.end() + len(content)
    raise ValueError(data[position:])
