"""Compares our reading of mail with that of the standard library's `email`: structure and envelope, whole folders.

    python -m tools.check_corpus             all mails of tools.corpus
    python -m tools.check_corpus FOLDER      *.eml, *.txt and *.msg below a folder

Both readings are brought to one form: the tree of types with parameters, encodings, sizes and lines; the ten fields of
the envelope. `email` splits lines itself, so its sizes are those of its own text put together again. Differences are
printed. Not counted as differences, because there `email` is not right:

- it cuts the last line end off a multipart that is never closed (the part goes to the end of the message);
- it takes message/delivery-status apart into messages, which RFC 3464 does not say;
- it has no type for "text/plain charset=us-ascii" (a missing semicolon);
- it keeps a multipart without any part as one, which BODYSTRUCTURE cannot say: ours is text/plain;
- damaged address lists have no right reading: they are compared only where our strict reading finds no fault.
"""

import re
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses
from pathlib import Path
from typing import Any

from crockery.message.addresses import is_damaged, mailboxes, parse_addresses
from crockery.message.sections import section_range
from crockery.message.structure import Part, parse_structure
from tools.corpus import named_corpus


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
    theirs = message_from_bytes(data, policy=compat32)
    return [*_compare_parts(data, ours, theirs, "1"), *_compare_envelopes(ours, theirs)]


def _compare_parts(data: bytes, ours: Part, theirs: "Message[str, str]", number: str) -> Iterator[str]:
    payload: Any = theirs.get_payload()
    their_children: list[Any] = payload if isinstance(payload, list) else []
    their_type = theirs.get_content_type()
    our_type = f"{ours.maintype}/{ours.subtype}"
    if our_type == "message/delivery-status" or " " in their_type:
        return
    if their_type.startswith("multipart/") and not their_children:
        if our_type != "text/plain":
            yield f"{number}: no part found by email, ours {our_type}"
        return
    if our_type != their_type:
        yield f"{number}: type {our_type}, email {their_type}"
        return
    our_children = (ours.message,) if ours.message else ours.children
    if len(our_children) != len(their_children):
        yield f"{number}: {len(our_children)} parts, email {len(their_children)}"
        return
    for place, (our_child, their_child) in enumerate(zip(our_children, their_children, strict=True), 1):
        yield from _compare_parts(data, our_child, their_child, f"{number}.{place}")
    yield from _compare_leaf(data, ours, theirs, number)


def _compare_leaf(data: bytes, ours: Part, theirs: "Message[str, str]", number: str) -> Iterator[str]:
    encoding = str(theirs.get("content-transfer-encoding", "7bit")).strip().lower()
    if ours.encoding != encoding and not re.search(r"[\s(;]", encoding):
        yield f"{number}: encoding {ours.encoding}, email {encoding}"
    for name, value in ours.params:
        expected = theirs.get_param(name.decode("latin-1"), unquote=True)
        if isinstance(expected, str) and expected.encode("ascii", "surrogateescape") != value:
            yield f"{number}: parameter {name!r} {value!r}, email {expected!r}"
    if not ours.children and not ours.message:
        body = str(vars(theirs)["_payload"]).encode("ascii", "surrogateescape")  # get_payload would decode it
        if ours.body_end == len(data) and number != "1" and data[ours.body_start :] in (body + b"\r\n", body + b"\n"):
            return  # in a multipart that is never closed
        if body != data[ours.body_start : ours.body_end]:
            yield f"{number}: body of {ours.size} octets, email {len(body)}"
        their_lines = body.count(b"\n")
        if ours.lines != their_lines:
            yield f"{number}: {ours.lines} lines, email's body has {their_lines}"


def _compare_envelopes(ours: Part, theirs: "Message[str, str]") -> Iterator[str]:
    envelope = ours.envelope
    assert envelope is not None
    for name in ("date", "subject", "in-reply-to", "message-id"):
        raw = getattr(envelope, name.replace("-", "_"))
        expected = _header_octets(theirs, name)
        if raw != expected:
            yield f"{name}: {raw!r}, email {expected!r}"
    for name in ("from", "sender", "reply-to", "to", "cc", "bcc"):
        raw = getattr(envelope, {"from": "from_"}.get(name, name.replace("-", "_")))
        expected = _header_octets(theirs, name)
        if raw != expected:
            yield f"{name}: {raw!r}, email {expected!r}"
            continue
        if raw is None or is_damaged(raw):
            continue
        specs = [address.addr_spec.replace('"', "") for address in mailboxes(parse_addresses(raw))]
        their_specs = [spec.replace('"', "") for _, spec in getaddresses([raw.decode("utf-8", "replace")]) if spec]
        if specs != their_specs:
            yield f"{name}: addresses {specs}, email {their_specs} of {raw!r}"


def _header_octets(theirs: "Message[str, str]", name: str) -> bytes | None:
    for key, value in theirs.raw_items():
        if key.lower() == name:
            return re.sub(rb"[\r\n]+", b"", str(value).encode("ascii", "surrogateescape")).strip(b" \t")
    return None


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
