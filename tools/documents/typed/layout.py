"""Text as a page: lines of segments, each with the column it starts in, so that what stands below can be found."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.documents.limits import MAX_LINE_CHARACTERS

_SEGMENT = re.compile(r"[^\s|;]+(?: [^\s|;]+)*")
_NEAR = 6  # characters by which text set in a proportional font strays from its column


@dataclass(frozen=True, slots=True)
class Segment:
    """Text between gaps of two or more blanks, tabs, bars or semicolons; `start` and `end` are columns."""

    text: str
    start: int
    end: int


Line = tuple[Segment, ...]


def split_page(text: str) -> list[Line]:
    """The lines of `text`; an empty one has no segments. Lines are cut at a length no order needs."""
    return [
        tuple(Segment(match[0], match.start(), match.end()) for match in _SEGMENT.finditer(line[:MAX_LINE_CHARACTERS]))
        for line in text.replace("\f", "\n").splitlines()
    ]


def below(lines: list[Line], row: int, segment: Segment, *, limit: int = 8) -> list[str]:
    """What stands under `segment`: one text for each following line, up to an empty one or `limit`."""
    found: list[str] = []
    started = False
    for line in lines[row + 1 : row + 1 + limit]:
        if not line:
            if started:
                break
            continue
        started = True
        near = [each for each in line if abs(each.start - segment.start) <= _NEAR]
        if not near:
            break
        found.append(min(near, key=lambda each: abs(each.start - segment.start)).text)
    return found


def joined(line: Line) -> str:
    return "  ".join(segment.text for segment in line)
