"""The plots of the HTML page, as inline SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence

from evals.report.content import CaseLine, Content, Point
from evals.report.markup import Markup, joined, tag
from evals.stats.rates import wilson

ROW, WIDTH = 30, 640  # user units; the SVG scales with the page
LEFT, RIGHT = 176, 24


def by_tag(content: Content) -> Markup:
    """A row a tag: the baseline's pass rate hollow, today's filled with its interval."""
    rows = [(name, lines) for name, lines in content.tags.items() if any(line.counting for line in lines)]
    rows.insert(0, ("all cases", content.lines))
    parts = [_axis(len(rows))]
    for index, (name, lines) in enumerate(rows):
        parts.append(_row(name, lines, 14 + ROW * index))
    height = ROW * len(rows) + 34
    return _svg(height, "Pass rate by tag", *parts)


def _row(name: str, lines: Sequence[CaseLine], y: float) -> Markup:
    counting = [sample for line in lines for sample in line.counting]
    passed = sum(sample.passed for sample in counting)
    low, high = wilson(passed, len(counting))
    told = f"{name}: {passed} of {len(counting)} passed, 95% interval {low:.0%} to {high:.0%}"
    known = [line.before for line in lines if line.before is not None]
    shapes = [
        tag("text", _short(name, 20), x=LEFT - 12, y=y + 4.0, text_anchor="end", class_="label"),
        tag("line", x1=_x(low), x2=_x(high), y1=y, y2=y, class_="interval"),
    ]
    if known:
        before = sum(r.passed / r.repeats for r in known) / len(known)
        told += f"; baseline {before:.0%}"
        shapes.append(tag("circle", cx=_x(before), cy=y, r=5.5, class_="before"))
    shapes.append(tag("circle", cx=_x(passed / len(counting)), cy=y, r=5.0, class_="now"))
    return tag("g", tag("title", told), *shapes)


def drift(points: Sequence[Point]) -> Markup:
    """The pass rate of each stored run, in order, with its interval; a change of model is a dashed line."""
    height, top, bottom = 220, 14, 40
    step = (WIDTH - 60 - RIGHT) / max(1, len(points) - 1)

    def at(index: int, rate: float) -> tuple[float, float]:
        x = 60 + step * index if len(points) > 1 else WIDTH / 2
        return x, top + (1 - rate) * (height - top - bottom)

    parts: list[Markup] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = at(0, share)[1]
        parts.append(tag("line", x1=48, x2=WIDTH - RIGHT + 8, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", f"{share:.0%}", x=40, y=y + 4, text_anchor="end", class_="tick"))
    path = " ".join(f"{'L' if i else 'M'}{at(i, p.rate)[0]:.1f} {at(i, p.rate)[1]:.1f}" for i, p in enumerate(points))
    parts.append(tag("path", d=path, class_="course"))
    for index, point in enumerate(points):
        (x, y), (low, high) = at(index, point.rate), point.interval
        if index and points[index - 1].identity.model_digest != point.identity.model_digest:
            middle = x - step / 2
            parts.append(tag("line", x1=middle, x2=middle, y1=top, y2=height - bottom, class_="break"))
        told = f"{point.at:%Y-%m-%d %H:%M} UTC: {point.rate:.1%} of {point.tried}, code {point.identity.code_version}"
        bar = tag("line", x1=x, x2=x, y1=at(index, low)[1], y2=at(index, high)[1], class_="interval")
        parts.append(tag("g", tag("title", told), bar, tag("circle", cx=x, cy=y, r=5.0, class_="now")))
        if index in {0, len(points) - 1}:
            anchor = "middle" if len(points) == 1 else "end" if index else "start"
            parts.append(tag("text", f"{point.at:%d %b}", x=x, y=height - 16, text_anchor=anchor, class_="tick"))
    return _svg(height, "Pass rate of each stored run", *parts)


def _axis(rows: int) -> Markup:
    parts: list[Markup] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=ROW * rows, class_="grid"))
        parts.append(tag("text", f"{share:.0%}", x=x, y=ROW * rows + 20, text_anchor="middle", class_="tick"))
    return joined(*parts)


def _svg(height: int, label: str, *parts: Markup) -> Markup:
    return tag("svg", *parts, viewbox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
