"""Readable text of HTML: what a person would see, a table row a line."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    "address article blockquote br div dl dt dd h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul".split()
)
_UNSEEN = frozenset(("head", "script", "style", "template", "title"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.I)
_LONELY = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_DEEPEST = 200  # unseen elements in each other that are told apart; each end is looked for among them
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen: list[str] = []  # open elements from the outermost unseen one inwards

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            if tag in _BLOCKS and not self._unseen:
                self.parts.append("\n")
            return
        hidden = any((name == "style" and _HIDDEN.search(value or "")) or name == "hidden" for name, value in attrs)
        if self._unseen or tag in _UNSEEN or hidden:
            if len(self._unseen) < _DEEPEST:
                self._unseen.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append("  ")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[len(self._unseen) - 1 - self._unseen[::-1].index(tag) :]
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))


def _plain(html: str) -> str:
    """`html` without comments and declarations, each `<` that no `>` answers as text. What is left the standard parser
    reads in time linear in its length; of an open tag, comment or section it looks for the end again and again."""
    parts, kept = html.split("<!--"), list[str]()
    for number, part in enumerate(parts):
        kept.append(part if number == 0 else part.partition("-->")[2])
    return _DECLARATION.sub("", _LONELY.sub("&lt;", "".join(kept)))


def html_to_text(html: str) -> str:
    """Text of `html`: cells two blanks apart, no runs of empty lines, nothing that a browser would not show."""
    parser = _Text()
    parser.feed(_plain(html))
    parser.close()
    lines = ("  ".join(re.split(r" {2,}", line.strip())) for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
