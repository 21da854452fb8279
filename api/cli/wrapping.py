"""Text that arrives in pieces, broken between words."""

from __future__ import annotations


class WordWrap:
    """Breaks lines of at most `width` characters. A word is held back until it is whole."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._word = ""

    def feed(self, text: str) -> str:
        """What can be written now that `text` has come."""
        out: list[str] = []
        for char in text:
            if char == "\n":
                out += [self._place(), "\n"]
                self._column = 0
            elif char.isspace():
                out.append(self._place())
                if self._column < self._width:
                    out.append(" ")
                    self._column += 1
            elif char.isprintable():
                self._word += char
        return "".join(out)

    def rest(self) -> str:
        """What was held back."""
        return self._place()

    def _place(self) -> str:
        word, self._word = self._word, ""
        if self._column and self._column + len(word) > self._width:
            self._column = len(word)
            return f"\n{word}"
        self._column += len(word)
        return word
