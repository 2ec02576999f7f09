"""The answers to FETCH BODY and BODYSTRUCTURE (RFC 3501 §7.4.2, RFC 9051 §7.5.2); strings as in `envelope`.

Sizes and lines are those of the octets that BODY[section] gives, since both come from the same offsets.
"""

from crockery.message.downgrade import downgrade_parameter, downgrade_uri
from crockery.message.envelope import render_envelope, render_nstring, render_text
from crockery.message.parameters import Parameters
from crockery.message.structure import Part


def render_bodystructure(part: Part, extensible: bool = True, utf8: bool = False) -> bytes:
    """The structure of `part`: BODYSTRUCTURE if `extensible`, else BODY."""
    if part.children:
        children = b"".join(render_bodystructure(child, extensible, utf8) for child in part.children)
        body = b"%b %b" % (children, _token(part.subtype))
        if not extensible:
            return b"(%b)" % body
        return b"(%b %b %b)" % (body, _parameters(part.params, utf8), _extension(part, utf8))
    fields = [
        _token(part.maintype),
        _token(part.subtype),
        _parameters(part.params, utf8),
        render_nstring(part.content_id, utf8),
        render_text(part.description, utf8),
        _token(part.encoding),
        b"%d" % part.size,
    ]
    # IMAP4rev1 knows an envelope and a structure for message/rfc822 alone; message/global is a plain type there.
    if part.message is not None and part.message.envelope is not None and (utf8 or part.subtype == "rfc822"):
        fields.append(render_envelope(part.message.envelope, utf8))
        fields.append(render_bodystructure(part.message, extensible, utf8))
        fields.append(b"%d" % part.lines)
    elif part.maintype == "text":
        fields.append(b"%d" % part.lines)
    if extensible:
        fields.append(render_nstring(part.md5, utf8))
        fields.append(_extension(part, utf8))
    return b"(%b)" % b" ".join(fields)


def _extension(part: Part, utf8: bool) -> bytes:
    """body-fld-dsp, body-fld-lang and body-fld-loc."""
    disposition = b"NIL"
    if part.disposition is not None:
        params = _parameters(part.disposition_params, utf8)
        disposition = b"(%b %b)" % (render_nstring(part.disposition, utf8), params)
    language = b"NIL"
    if part.language:
        tags = [tag.strip() for tag in part.language.split(b",") if tag.strip()]
        if len(tags) == 1:
            language = render_nstring(tags[0], utf8)
        elif tags:
            language = b"(%b)" % b" ".join(render_nstring(tag, utf8) for tag in tags)
    location = part.location if utf8 or part.location is None else downgrade_uri(part.location)
    return b"%b %b %b" % (disposition, language, render_nstring(location, utf8))


def _parameters(params: Parameters, utf8: bool) -> bytes:
    if not params:
        return b"NIL"
    if not utf8:
        params = tuple(downgrade_parameter(name, value) for name, value in params)
    pairs = (render_nstring(name, utf8) + b" " + render_nstring(value, utf8) for name, value in params)
    return b"(%b)" % b" ".join(pairs)


def _token(value: str) -> bytes:
    return render_nstring(value.encode("ascii", "replace"))
