"""HTML mail as lines of text, as far as reading an answer needs it: quotations get "> ", what is struck out is gone.

One pass with `find`, linear in the input and without recursion; any text is taken. It is never shown to anybody, so
nothing depends on it beyond what a person seems to have written.
"""

import re
from html import unescape
from typing import Final

_NAME: Final = re.compile(r"(/?)([A-Za-z][A-Za-z0-9]*)")
_BLANKS: Final = re.compile(r"\s+")
_HIDDEN: Final = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("head", "script", "style", "title")}
_STRUCK: Final = frozenset({"s", "strike", "del"})
_STRIKES: Final = re.compile(r"<(?:s|strike|del)[\s>]|line-through", re.IGNORECASE)
_BREAKS: Final = frozenset({
    "address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "ol", "p", "pre", "section", "table", "tbody", "td", "th",
    "tr", "ul",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset({"p", "blockquote", "hr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})


def html_to_text(html: str) -> str:
    """The text of `html`, a line for each block or line break, an empty one between paragraphs."""
    return _Reader(html).read()


def strikes_out(html: str) -> bool:
    """Whether anything in `html` may be struck out, which a plain text beside it would not show."""
    return _STRIKES.search(html) is not None


class _Reader:
    """The line at hand, and how deep in quotations and struck-out text we are."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._struck = 0

    def read(self) -> str:
        html, position = self._html, 0
        while position < len(html):
            opening = html.find("<", position)
            if opening < 0:
                opening = len(html)
            self._take_text(html[position:opening])
            position = self._take_tag(opening) if opening < len(html) else opening
        self._end_line()
        return "\n".join(self._lines)

    def _take_text(self, text: str) -> None:
        if text and not self._struck:
            self._line.append(_BLANKS.sub(" ", unescape(text)))

    def _take_tag(self, opening: int) -> int:
        """Deals with what begins at a "<"; returns where it ends."""
        html = self._html
        if html.startswith("<!--", opening):
            end = html.find("-->", opening + 4)
            return end + 3 if end >= 0 else len(html)
        name = _NAME.match(html, opening + 1)
        if name is None and html[opening + 1 : opening + 2] not in ("!", "?", "/"):
            self._take_text("<")
            return opening + 1
        end = html.find(">", opening)
        if end < 0:
            return len(html)
        if name is not None:
            tag, closes = name[2].lower(), bool(name[1])
            if tag in _HIDDEN and not closes:
                match = _HIDDEN[tag].search(html, end)
                return match.start() if match else len(html)
            self._take_element(tag, closes)
            if not closes and "line-through" in html[opening:end]:
                self._take_text("~")  # struck out by its style; where that ends is not known, so the line is unreadable
        return end + 1

    def _take_element(self, tag: str, closes: bool) -> None:
        if tag in _STRUCK:
            self._struck = max(self._struck + (-1 if closes else 1), 0)
        elif tag in _BREAKS:
            self._end_line(always=tag == "br")
            if tag in _PARAGRAPHS and self._lines and self._lines[-1]:
                self._lines.append("")
        if tag == "blockquote":
            self._quotes = max(self._quotes + (-1 if closes else 1), 0)

    def _end_line(self, *, always: bool = False) -> None:
        text = "".join(self._line).strip()
        self._line.clear()
        if text or always:
            self._lines.append(f"> {text}" if self._quotes else text)
