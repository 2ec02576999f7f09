"""How Crockery's mails look: paragraphs, addresses, and the words that can be answered, as text and as simple HTML.

Lines of the text keep to 68 characters, so that no program breaks them where it quotes them; a broken line could leave
a word alone that reads as an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Final
from urllib.parse import quote

_WIDTH: Final = 68
_INDENT: Final = "  "
_COLUMN_MAX: Final = 28


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines that stand for themselves, each on its own: addresses, fingerprints."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be answered: (answer, what it does) each."""

    options: tuple[tuple[str, str], ...]


Block = str | Listing | Choices
"""A str is a paragraph."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its addressing."""

    subject: str
    blocks: Sequence[Block]


def render_text(letter: Letter, signature: str) -> str:
    """The letter in plain text."""
    return "\n\n".join([*map(_text_block, letter.blocks), signature]) + "\n"


def render_html(letter: Letter, signature: str, answer_to: str = "") -> str:
    """The letter in HTML; where `answer_to` is an address, each answer is a link that writes it."""
    parts = [_html_block(block, letter.subject, answer_to) for block in (*letter.blocks, signature)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(letter.subject)}</title></head>\n"
        '<body style="font-family: sans-serif; line-height: 1.4; max-width: 40em">\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _text_block(block: Block) -> str:
    if isinstance(block, str):
        return _wrap(block)
    if isinstance(block, Listing):
        return "\n".join(_INDENT + line for line in block.lines)
    return _text_choices(block)


def _text_choices(choices: Choices) -> str:
    """Two columns; where the answers are long, one below the other."""
    column = max(len(answer) for answer, _ in choices.options) + 3
    if column > _COLUMN_MAX:
        return "\n".join(f"{_INDENT}{answer}\n{_wrap(meaning, _INDENT * 4)}" for answer, meaning in choices.options)
    rows = (_wrap(meaning, _INDENT + " " * column) for _, meaning in choices.options)
    return "\n".join(
        f"{_INDENT}{answer:{column}}{row.lstrip()}" for (answer, _), row in zip(choices.options, rows, strict=True)
    )


def _html_block(block: Block, subject: str, answer_to: str) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>"
    if isinstance(block, Listing):
        return f'<p style="margin-left: 2em">{"<br>".join(map(escape, block.lines))}</p>'
    rows = (
        f'<tr><td style="padding: 0.3em 1.5em 0.3em 0; vertical-align: top; white-space: nowrap">'
        f'<b>{_link(answer, subject, answer_to)}</b></td><td style="padding: 0.3em 0">{escape(meaning)}</td></tr>'
        for answer, meaning in block.options
    )
    return '<table style="margin-left: 2em; border-spacing: 0">\n' + "\n".join(rows) + "\n</table>"


def _link(answer: str, subject: str, answer_to: str) -> str:
    if not answer_to:
        return escape(answer)
    target = f"mailto:{quote(answer_to, safe='@+')}?subject={quote(f'Re: {subject}')}&body={quote(answer)}"
    return f'<a href="{escape(target)}">{escape(answer)}</a>'


def _wrap(text: str, indent: str = "") -> str:
    return fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
