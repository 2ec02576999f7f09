"""Which octets BODY[section] means (RFC 3501 §6.4.5, RFC 9051 §6.4.5).

Numbering: the parts of a multipart are 1, 2, ...; a message whose body is not a multipart has one part, 1, its body.
Below a message/rfc822 the parts are those of the message in it. HEADER and TEXT belong to messages, MIME to parts.
"""

from collections.abc import Collection

from crockery.message.headers import header_fields, header_fields_not
from crockery.message.structure import Part


def find_part(root: Part, numbers: tuple[int, ...]) -> Part | None:
    """The part with these section numbers, () being the message itself; None if there is none."""
    part = root
    at_message = True
    for number in numbers:
        if not at_message:
            if part.message is not None:
                part, at_message = part.message, True
            elif not part.children:
                return None
        if part.children:
            if not 1 <= number <= len(part.children):
                return None
            part, at_message = part.children[number - 1], False
        elif number == 1:
            at_message = False
        else:
            return None
    return part


def section_range(root: Part, numbers: tuple[int, ...], text: str = "") -> tuple[int, int] | None:
    """Start and end of a section; `text` is "", "HEADER", "TEXT" or "MIME". None (sent as NIL) if there is none.

    BODY[] is `(root, ())`, BODY[TEXT] `(root, (), "TEXT")`, BODY[1.2.MIME] `(root, (1, 2), "MIME")`.
    """
    part = find_part(root, numbers)
    if part is None:
        return None
    if text == "MIME":
        return (part.header_start, part.body_start) if numbers else None
    if text:
        message = part.message if numbers else part
        if message is None:
            return None
        if text == "HEADER":
            return message.header_start, message.body_start
        return (message.body_start, message.body_end) if text == "TEXT" else None
    return (part.body_start, part.body_end) if numbers else (part.header_start, part.body_end)


def section_bytes(
    data: bytes, root: Part, numbers: tuple[int, ...], text: str = "", names: Collection[bytes] = ()
) -> bytes | memoryview | None:
    """The octets of a section, HEADER.FIELDS and HEADER.FIELDS.NOT with `names` too; None (NIL) if there is none."""
    if text in ("HEADER.FIELDS", "HEADER.FIELDS.NOT"):
        bounds = section_range(root, numbers, "HEADER")
        if bounds is None:
            return None
        select = header_fields if text == "HEADER.FIELDS" else header_fields_not
        return select(data, names, *bounds)
    bounds = section_range(root, numbers, text)
    return None if bounds is None else memoryview(data)[bounds[0] : bounds[1]]
