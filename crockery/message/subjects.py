"""What threads are made of: base subjects (RFC 5256 §2.1) and message ids (RFC 5322 §3.6.4). Linear, never raises.

subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"      subj-blob = "[" *BLOBCHAR "]" *WSP
subj-leader = (*subj-blob subj-refwd) / WSP                  subj-trailer = "(fwd)" / WSP
"""

import re

from crockery.limits import MAX_REFERENCES, SUBJECT_READ

_BLOB = r"\[[^\[\]]*+\]\s*+"
_TRAILER = re.compile(r"(?:\(fwd\)|\s)\Z", re.IGNORECASE)
_LEADER = re.compile(rf"(?:{_BLOB})*(?:re|fwd?)\s*+(?:{_BLOB})?:|\s++", re.IGNORECASE)
_LEADING_BLOB = re.compile(_BLOB)
_FORWARD = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)
_BLANKS = re.compile(r"\s+")
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,998}+>")


def base_subject(subject: str) -> tuple[str, bool]:
    """The base of a decoded subject, and whether anything in it marked a reply or a forward."""
    text = _BLANKS.sub(" ", subject[:SUBJECT_READ])
    is_reply = False
    while True:
        while trailer := _TRAILER.search(text, max(0, len(text) - 5)):
            is_reply = is_reply or trailer[0] != " "
            text = text[: trailer.start()]
        position = 0
        while True:
            if match := _LEADER.match(text, position):
                is_reply = is_reply or not match[0].isspace()
            else:
                match = _LEADING_BLOB.match(text, position)
                if match is None or match.end() == len(text):  # a blob that is all there is stays
                    break
            position = match.end()
        text = text[position:]
        forward = _FORWARD.match(text)
        if forward is None:
            return text, is_reply
        text, is_reply = forward[1], True


def message_ids(value: bytes | None) -> tuple[bytes, ...]:
    """The message ids "<...>" in an unfolded field, in order; of very many the first and the newest."""
    if not value:
        return ()
    found = _MESSAGE_ID.findall(value)
    if len(found) > MAX_REFERENCES:
        found = found[:1] + found[1 - MAX_REFERENCES :]
    return tuple(found)
