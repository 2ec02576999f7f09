"""The mail that every program has to give back octet by octet."""

import base64
import random
from typing import Final


def _mail(subject: str, rest: str) -> bytes:
    head = "From: Carla <carla@elsewhere.test>\nTo: you@example.test\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n"
    text = f"{head}Message-ID: <{subject.replace(' ', '.')}@elsewhere.test>\nSubject: {subject}\n{rest}"
    return text.replace("\n", "\r\n").encode()


def _attachment(size: int) -> str:
    octets = base64.encodebytes(random.Random(size).randbytes(size)).decode()
    return (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_x"\n\n--=_x\n'
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße, 你好\n--=_x\n"
        "Content-Type: application/octet-stream; name=kiln.bin\nContent-Transfer-Encoding: base64\n"
        f"Content-Disposition: attachment; filename=kiln.bin\n\n{octets}--=_x--\n"
    )


MESSAGES: Final = (
    _mail("plain", "\nA line.\nAnother.\n"),
    _mail("no body", "\n"),
    _mail("dots", "\n.\n..\n.hidden\nend.\n"),
    _mail("quoted From", "\nFrom here on\n>From there on\n\nFrom x@y Tue Nov  3 10:00:00 2026\n"),
    _mail("blank lines", "\n\n\n  \n\t\n\nlast\n\n\n"),
    _mail("long line", f"\n{'x' * 900} {'y' * 5000}\n"),
    _mail("8 bit", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nTöpfe, глина, 土\n"),
    _mail("folded", "X-Folded: one\n\ttwo\n   three\nReferences: <a@b>\n <c@d>\n\nfolded\n"),
    _mail("small attachment", _attachment(3000)),
    _mail("large attachment", _attachment(2_000_000)),
    _mail("html", "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>Hello<br>&amp; welcome</p>\n"),
)
"""Complete lines, CRLF, nothing that a program keeping mail in lines could not hold."""

STRANGE: Final = (
    _mail("no last line end", "\nends here").rstrip(b"\r\n"),
    b"Subject: h\xe9\xff\x80 raw octets\r\n\r\n\x01\x02\x7f\x80\xff\r\n",
    b"just a line, no header\r\n",
    b"Subject: header only\r\n",
    b"\r\nbody only\r\n",
    b"Subject: bare line feeds\n\none\ntwo\n",
)
"""What only a client that takes IMAP's octets as they are gives back."""
