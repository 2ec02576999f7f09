"""Compares our reading of mail with that of the standard library's `email`: structure and envelope, whole folders.

    python -m tools.check_corpus             all mails of tools.corpus
    python -m tools.check_corpus FOLDER      *.eml, *.txt and *.msg below a folder

Both readings are brought to one form: the tree of types with parameters, encodings, sizes and lines; the ten fields of
the envelope. `email` splits lines itself, so its sizes are those of its own text put together again. Differences are
printed. What is not compared, because `email` is not right there, stands in tools.email_reading.
"""

import re
import sys
from collections.abc import Iterator
from email.utils import getaddresses
from pathlib import Path

from crockery.message.addresses import is_damaged, mailboxes, parse_addresses
from crockery.message.sections import section_range
from crockery.message.structure import Part, parse_structure
from tools.corpus import named_corpus
from tools.email_reading import (
    EmailMessage,
    body_of,
    children_of,
    compare_kinds,
    encoding_of,
    header_octets,
    is_comparable,
    read_mail,
)


def read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(name, message) for every mail in `folder` and below, with CRLF line ends."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".eml", ".txt", ".msg") and path.is_file():
            yield path.name, with_crlf(path.read_bytes())


def with_crlf(data: bytes) -> bytes:
    """The mail with CRLF line ends, as it would arrive."""
    return re.sub(rb"\r?\n", b"\r\n", data)


def compare(data: bytes) -> list[str]:
    """The differences between the two readings, each as one line."""
    ours = parse_structure(data)
    theirs = read_mail(data)
    return [*_compare_parts(data, ours, theirs, "1"), *_compare_envelopes(ours, theirs)]


def _compare_parts(data: bytes, ours: Part, theirs: EmailMessage, number: str) -> Iterator[str]:
    our_type, our_children = f"{ours.maintype}/{ours.subtype}", (ours.message,) if ours.message else ours.children
    if not is_comparable(our_type, theirs):
        return
    if difference := compare_kinds(our_type, len(our_children), theirs):
        yield f"{number}: {difference}"
        return
    for place, (our_child, their_child) in enumerate(zip(our_children, children_of(theirs), strict=True), 1):
        yield from _compare_parts(data, our_child, their_child, f"{number}.{place}")
    yield from _compare_leaf(data, ours, theirs, number)


def _compare_leaf(data: bytes, ours: Part, theirs: EmailMessage, number: str) -> Iterator[str]:
    encoding = encoding_of(theirs)
    if encoding is not None and ours.encoding != encoding:
        yield f"{number}: encoding {ours.encoding}, email {encoding}"
    for name, value in ours.params:
        expected = theirs.get_param(name.decode("latin-1"), unquote=True)
        if isinstance(expected, str) and expected.encode("ascii", "surrogateescape") != value:
            yield f"{number}: parameter {name!r} {value!r}, email {expected!r}"
    if not ours.children and not ours.message:
        body = body_of(theirs)
        if ours.body_end == len(data) and number != "1" and data[ours.body_start :] in (body + b"\r\n", body + b"\n"):
            return  # in a multipart that is never closed
        if body != data[ours.body_start : ours.body_end]:
            yield f"{number}: body of {ours.size} octets, email {len(body)}"
        their_lines = body.count(b"\n")
        if ours.lines != their_lines:
            yield f"{number}: {ours.lines} lines, email's body has {their_lines}"


def _compare_envelopes(ours: Part, theirs: EmailMessage) -> Iterator[str]:
    envelope = ours.envelope
    assert envelope is not None
    for name in ("date", "subject", "in-reply-to", "message-id"):
        raw = getattr(envelope, name.replace("-", "_"))
        expected = header_octets(theirs, name)
        if raw != expected:
            yield f"{name}: {raw!r}, email {expected!r}"
    for name in ("from", "sender", "reply-to", "to", "cc", "bcc"):
        raw = getattr(envelope, {"from": "from_"}.get(name, name.replace("-", "_")))
        expected = header_octets(theirs, name)
        if raw != expected:
            yield f"{name}: {raw!r}, email {expected!r}"
            continue
        if raw is None or is_damaged(raw):
            continue
        specs = [address.addr_spec.replace('"', "") for address in mailboxes(parse_addresses(raw))]
        their_specs = [spec.replace('"', "") for _, spec in getaddresses([raw.decode("utf-8", "replace")]) if spec]
        if specs != their_specs:
            yield f"{name}: addresses {specs}, email {their_specs} of {raw!r}"


def check_sections(data: bytes) -> list[str]:
    """Where BODY[n] is not as long as BODYSTRUCTURE says."""
    wrong = []

    def walk(root: Part, part: Part, numbers: tuple[int, ...]) -> None:
        bounds = section_range(root, numbers)
        if bounds is None or bounds[1] - bounds[0] != part.size:
            wrong.append(f"{numbers}: {bounds}, size {part.size}")
        inner = part.message
        if inner is not None and not inner.children:
            walk(root, inner, (*numbers, 1))
        for place, child in enumerate(part.children or (inner.children if inner else ()), 1):
            walk(root, child, (*numbers, place))

    root = parse_structure(data)
    for place, child in enumerate(root.children or (root,), 1):
        walk(root, child, (place,))
    return wrong


def main() -> int:
    """Prints the differences and how many there are; 1 if any."""
    if len(sys.argv) > 2:
        print(__doc__, file=sys.stderr)
        return 2
    messages = read_folder(Path(sys.argv[1])) if len(sys.argv) == 2 else named_corpus()
    read = differences = 0
    for name, data in messages:
        read += 1
        for difference in (*compare(data), *check_sections(data)):
            differences += 1
            print(f"{name}: {difference}")
    print(f"{read} messages, {differences} differences")
    return 1 if differences or not read else 0


if __name__ == "__main__":
    sys.exit(main())
