"""What a person has newly written in a reply: without quotations, signatures, and what programs add.

Recognised: lines with ">", blockquotes, "On ... wrote:" (in some languages, broken over lines, above or in front of
what was quoted), the blocks of Outlook and its like, "-- ", "Sent from my phone". What is written below a quotation
counts. Linear in the text; never raises.

Where it is in doubt whether a line is new, it is taken for quoted: then nothing is left, and Crockery asks again.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from crockery.assistant.html_text import html_to_text, strikes_out
from crockery.assistant.language import Language
from crockery.limits import ANSWER_LINES_MAX, ANSWER_TEXT_MAX
from crockery.message.structure import Part, parse_structure
from crockery.message.text import part_text

_QUOTED: Final = re.compile(r"\s{0,3}>")
_SIGNATURE: Final = re.compile(r"(?:--|—|__)\s*")
_SEPARATOR: Final = re.compile(r"[-_–—*=]{2,100}\s*([^-_–—*=\s][^_–—*=]{0,60}?)\s*[-_–—*=]{2,100}")
_RULE: Final = re.compile(r"[_-]{10,}")
_HEADER: Final = re.compile(r"[*_]?([^\W\d_][^:*<>@]{0,30}?)\s*:[*_]?\s*\S")
_MAY_BREAK: Final = 60  # characters of a quoted line from which on a program may have broken it in two
_HEADER_LINES: Final = 5  # lines in which Outlook's From is followed by Sent
_ATTRIBUTION_LINES: Final = 3  # lines over which "On ... wrote:" is broken
_ATTRIBUTION_LONGEST: Final = 400


def new_lines(message: bytes, languages: Sequence[Language]) -> list[str]:
    """The new lines of the message, empty ones among them; [] if there is none with anything in it."""
    root = parse_structure(message)
    for text in _texts(message, root):
        lines = strip_quotations(text, languages)
        if any(line.strip() for line in lines):
            return lines
    return []


def strip_quotations(text: str, languages: Sequence[Language]) -> list[str]:
    """The lines of `text` that are new."""
    lines = text.splitlines()[:ANSWER_LINES_MAX]
    kept: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position].strip()
        if _QUOTED.match(lines[position]):
            position = _skip_quoted(lines, position)
        elif _SIGNATURE.fullmatch(line) or _begins_block(lines, position, languages):
            break
        elif length := _attribution_length(lines, position, languages):
            position += length
            if not _quotation_follows(lines, position):
                break  # the rest is what was answered to, without any marks
        else:
            if not _is_footer(line, languages):
                kept.append(line)
            position += 1
    return kept


def _texts(message: bytes, root: Part) -> Iterator[str]:
    """The message's first plain text, then its first HTML as text; the latter alone where it strikes something out."""
    plain, rich = _find_text(root, "plain"), _find_text(root, "html")
    html = part_text(message, rich, ANSWER_TEXT_MAX) if rich else ""
    if plain and not strikes_out(html):
        yield part_text(message, plain, ANSWER_TEXT_MAX)
    if rich:
        yield html_to_text(html)


def _find_text(part: Part, subtype: str) -> Part | None:
    if part.maintype == "text" and part.subtype == subtype and part.disposition != b"attachment":
        return part
    return next((found for child in part.children if (found := _find_text(child, subtype))), None)


def _skip_quoted(lines: list[str], position: int) -> int:
    """Behind the quoted line, and behind the rest of it that a program has broken off and left without its mark."""
    was_long = len(lines[position]) >= _MAY_BREAK
    position += 1
    if was_long and position < len(lines) and lines[position].strip() and not _QUOTED.match(lines[position]):
        position += 1
    return position


def _quotation_follows(lines: list[str], position: int) -> bool:
    following = next((line for line in lines[position : position + 3] if line.strip()), "")
    return _QUOTED.match(following) is not None


def _attribution_length(lines: list[str], position: int, languages: Sequence[Language]) -> int:
    """How many lines the "On ... wrote:" at `position` takes; 0 if there is none."""
    joined = ""
    for length, line in enumerate(lines[position : position + _ATTRIBUTION_LINES], 1):
        if not line.strip() or _QUOTED.match(line):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > _ATTRIBUTION_LONGEST:
            return 0
        if joined.endswith(":"):
            if any(re.fullmatch(rule, joined, re.IGNORECASE) for each in languages for rule in each.wrote):
                return length
            if re.search(r"[\d@]", joined) and _quotation_follows(lines, position + length):
                return length  # in any language
    return 0


def _begins_block(lines: list[str], position: int, languages: Sequence[Language]) -> bool:
    """Whether a message begins here that is quoted without marks: Outlook, and forwarding."""
    line = lines[position].strip()
    separator = _SEPARATOR.fullmatch(line) if len(line) <= 200 else None
    if separator and any(separator[1].lower() in each.separators for each in languages):
        return True
    if line.lower() == "begin forwarded message:":
        return True
    if _RULE.fullmatch(line):
        return any(_begins_header(lines, next_, languages) for next_ in range(position + 1, position + 4))
    return _begins_header(lines, position, languages)


def _begins_header(lines: list[str], position: int, languages: Sequence[Language]) -> bool:
    """Whether "From: ..." stands here and, in the same language, "Sent: ..." soon below."""
    names = [_header_name(line) for line in lines[position : position + _HEADER_LINES]]
    return bool(names) and any(
        names[0] in sender and not date.isdisjoint(names[1:]) for each in languages for sender, date in [each.headers]
    )


def _header_name(line: str) -> str:
    match = _HEADER.match(line.strip()[:100])
    return match[1].lower() if match else ""


def _is_footer(line: str, languages: Sequence[Language]) -> bool:
    start = line[:60].lower().lstrip("*_([ ")
    return any(start.startswith(each.footers) for each in languages)
