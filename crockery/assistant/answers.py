"""What a person's answer asks for: "yes please just send it" is *send*, "send me the bill" is nothing.

The first line with anything in it decides; lines that only greet are passed over. The whole line must be one of the
phrases that `languages` lists, with nothing but courtesy before and behind it; anything else in it, a question mark
above all, and the answer is unsure. So it is where what follows may take the answer back; below *send* and *trust*
that is anything but thanks, names and small print (`remarks`). To ask once more costs little; to send what was not to
be sent cannot be made good.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from crockery.assistant.language import Language
from crockery.assistant.languages import LANGUAGES
from crockery.assistant.remarks import find_doubtful
from crockery.assistant.reply_text import new_lines
from crockery.assistant.verbs import Verb
from crockery.limits import ANSWER_LINE_MAX, ANSWER_WORDS_MAX
from crockery.message.addresses import mailboxes, parse_addresses
from crockery.message.headers import header_length, read_fields, unfold
from crockery.smtp.wire import AddressError, parse_domain

_GRAVE: Final = frozenset({Verb.SEND, Verb.TRUST})
_REMARK_WORDS: Final = 2  # a line of so few words below the answer is a name
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060\ufe0f\ufeff]")
_QUOTES: Final = str.maketrans("‘’ʼ`´", "'''''")
_LINK: Final = re.compile(r"<(?:https?://|mailto:)[^<>\s]*>|\]\(https?://[^()\s]*\)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"https?://(?:www\.)?([^\s/<>]+)/?", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W_]+(?:['.-][^\W_]+)*")
_NAME: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = re.compile(r"[\s.,;:!\"'()\[\]*_…“”„«»–—-]*[👍🙏🙂😊😀]*[\s.,;:!\"'()\[\]*_…“”„«»–—-]*")
_JOINING: Final = re.compile(r"(?<!\.)\.\Z")  # a dot in front of a word belongs to it: "*.shady.net"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read. `verb` is None where it is unsure; `domain` goes with TRUST, as A-labels; `line` is what decided.

    An empty line means that nothing new was written at all.
    """

    verb: Verb | None
    line: str
    domain: str = ""


def read_answer(message: bytes, languages: Sequence[Language] = LANGUAGES) -> Answer:
    """What the person who wrote `message` wants. Never raises."""
    return read_lines(new_lines(message, languages), languages, _names_of_author(message))


def is_offered(answer: Answer, offer: Mapping[Verb, frozenset[str]]) -> bool:
    """Whether the question offered this answer: `offer` has its verbs, and the domains each may name (or none)."""
    domains = None if answer.verb is None else offer.get(answer.verb)
    return domains is not None and answer.domain in (domains or {""})


def read_lines(
    lines: Sequence[str], languages: Sequence[Language] = LANGUAGES, names: Collection[str] = frozenset()
) -> Answer:
    """What the new lines of a reply ask for. `names` are words, in lower case, of who wrote it."""
    for position, raw in enumerate(lines):
        words = _split_words(raw)
        if words == [] or (words and _is_courtesy(words, languages)):
            continue
        line = raw.strip()
        verb, domain = _read_words(words, languages)
        rest = lines[position + 1 :]
        if verb is None or _takes_back(verb, domain, rest, languages):
            return Answer(None, line[:ANSWER_LINE_MAX])
        doubtful = _find_doubtful(verb, domain, rest, languages, names) if verb in _GRAVE else ""
        if doubtful:
            return Answer(None, doubtful[:ANSWER_LINE_MAX])
        return Answer(verb, line, domain)
    written = [line.strip() for line in lines if line.strip()]
    return Answer(None, written[0][:ANSWER_LINE_MAX] if written else "")


def _split_words(line: str) -> list[str] | None:
    """The words of a line in lower case; None where there is anything but words and harmless punctuation."""
    line = _LINK.sub("", _INVISIBLE.sub("", line[: ANSWER_LINE_MAX + 1]))
    line = _SCHEME.sub(r"\1", normalize("NFKC", line)).translate(_QUOTES).lower()
    if len(line) > ANSWER_LINE_MAX:
        return None
    words: list[str] = []
    end = 0
    for match in _WORD.finditer(line):
        if not _BETWEEN.fullmatch(line, end, match.start()) or _JOINING.search(line, end, match.start()):
            return None
        words.append(match[0])
        end = match.end()
    return words if _BETWEEN.fullmatch(line, end) and len(words) <= ANSWER_WORDS_MAX else None


def _read_words(words: list[str] | None, languages: Sequence[Language]) -> tuple[Verb | None, str]:
    """The one verb that all of a line means, and its domain; (None, "") if there is none, or more than one."""
    if not words:
        return None, ""
    found: set[tuple[Verb, str]] = set()
    for language in languages:
        before = _courtesy_ends(words, language)
        behind = {len(words) - end for end in _courtesy_ends(words[::-1], language, backwards=True)}
        for start in before:
            for end in behind:
                named = [word for word in words[start:end] if "." in word]
                phrase = " ".join("DOMAIN" if "." in word else word for word in words[start:end])
                verb = language.phrases.get(phrase) if start < end else None
                if verb is not None:
                    found.add((verb, named[0] if named else ""))
    if len(found) != 1:
        return None, ""
    verb, domain = found.pop()
    try:
        return verb, parse_domain(domain) if domain else ""
    except AddressError:
        return None, ""


def _courtesy_ends(words: list[str], language: Language, *, backwards: bool = False) -> set[int]:
    """All places up to which `words` are made of courtesy alone, 0 among them."""
    ends = {0}
    for end in range(1, len(words) + 1):
        for start in range(max(end - 5, 0), end):
            phrase = words[start:end][::-1] if backwards else words[start:end]
            if start in ends and " ".join(phrase) in language.courtesy:
                ends.add(end)
    return ends


def _is_courtesy(words: list[str], languages: Sequence[Language]) -> bool:
    return any(len(words) in _courtesy_ends(words, language) for language in languages)


def _takes_back(verb: Verb, domain: str, rest: Sequence[str], languages: Sequence[Language]) -> bool:
    """Whether the lines below an answer may change its meaning: "but not before Monday", or another answer."""
    doubts = frozenset[str]().union(*(language.doubts for language in languages))
    denials = [re.compile(rule) for language in languages for rule in language.denials]
    is_near = True  # in the same paragraph
    for number, line in enumerate(rest):
        words = _split_words(line)
        if words == [] and not line.strip():
            is_near = False
            continue
        other = _read_words(words, languages)
        if other[0] is not None and other != (verb, domain):
            return True
        rough = _WORD.findall(line[:ANSWER_LINE_MAX].translate(_QUOTES).lower())
        if not doubts.isdisjoint(rough if is_near else rough[:1]):
            return True
        if any(denial.search(" ".join(rough)) for denial in denials):
            return True
        goes_on = number == 0 and is_near and line.strip()[:1].islower() and len(rough) >= _REMARK_WORDS
        if goes_on and not (words and _is_courtesy(words, languages)):
            return True  # a line that was broken in two
    return False


def _find_doubtful(
    verb: Verb, domain: str, rest: Sequence[str], languages: Sequence[Language], names: Collection[str]
) -> str:
    """The first line below an answer that may be meant to change it, in whatever language; "" if there is none."""

    def changes_nothing(line: str) -> bool:
        words = _split_words(line)
        if words is None:
            return False
        if words == [] or _read_words(words, languages) == (verb, domain):
            return True
        ends = {end for language in languages for end in _courtesy_ends(words, language)}
        return any(all(word in names for word in words[end:]) for end in ends)  # "cheers, Anna"

    return find_doubtful(rest, changes_nothing, names, languages)


def _names_of_author(message: bytes) -> frozenset[str]:
    """The words, in lower case, of the names and local parts in From."""
    fields = read_fields(message, 0, header_length(message))
    authors = mailboxes(parse_addresses(unfold(fields.get(b"from", b""))))
    named = " ".join(f"{each.display} {each.local.decode('utf-8', 'replace')}" for each in authors)
    return frozenset(_NAME.findall(named.lower()))
