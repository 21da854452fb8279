"""One HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.report import plots
from evals.report.content import CHANCE, CaseLine, Content, headline
from evals.report.markup import Markup, joined, tag
from evals.report.transcripts import Turn, turns
from evals.results import Sample

STYLE = Path(__file__).with_name("page.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WORDS = {"pass": "Pass", "regressed": "Regressed", "inconclusive": "Inconclusive"}
SIDE_BY_SIDE = 30  # cases whose transcripts are shown
PEOPLE = {"person": "Person", "agent": "Agent", "call": "Call", "result": "Result", "event": "Event"}


def page(content: Content) -> str:
    verdict = content.judged.verdict if content.judged is not None else None
    title = f"{WORDS[verdict] if verdict else 'Evals'} · {content.identity.suite}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE.read_text("utf-8"))),
    )
    sections = [
        _top(content, verdict),
        _numbers(content),
        _tags(content),
        _beside(content),
        _drift(content),
        _cases(content),
    ]
    body = tag("body", tag("main", *sections), _foot(content))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _top(content: Content, verdict: str | None) -> Markup:
    badge = tag("p", WORDS[verdict] if verdict else "Evals", class_=f"badge {verdict or 'none'}")
    changes = content.judged.changes if content.judged is not None else []
    return tag(
        "header",
        badge,
        tag("h1", headline(content)),
        tag("p", f"Suite {content.identity.suite} · {content.started:%d %B %Y, %H:%M} UTC", class_="quiet"),
        *([tag("p", "What changed: " + "; ".join(changes) + ".", class_="quiet")] if changes else []),
    )


def _numbers(content: Content) -> Markup:
    found = content.scores
    if found is None:
        return joined()
    low, high = found.interval
    cards = [("Pass rate", f"{found.rate:.1%}", f"{low:.1%} to {high:.1%}")]
    if (change := content.difference) is not None:
        cards.append(
            ("Against baseline", f"{change[0] * 100:+.1f}", f"points, {change[1] * 100:+.1f} to {change[2] * 100:+.1f}")
        )
    cards.append(
        (
            "Runs",
            str(found.tried),
            f"{found.cases} cases" + (f", {found.not_tried} not tried" if found.not_tried else ""),
        )
    )
    if len(found.at_k) > 1:
        k = max(found.at_k)
        cards.append((f"All of {k} pass", f"{found.all_k[k]:.1%}", f"any of {k}: {found.at_k[k]:.1%}"))
    if found.valid_calls is not None:
        right = "" if found.right_arguments is None else f"right arguments {found.right_arguments:.1%}"
        cards.append(("Valid calls", f"{found.valid_calls:.1%}", right))
    cards.append(("Latency", f"{found.p50:.1f} s", f"p95 {found.p95:.1f} s"))
    tokens = f"{found.input_tokens:.0f} in, {found.output_tokens:.0f} out"
    cards.append(("Steps", f"{found.steps:.1f}", f"tokens {tokens}"))
    if found.cost is not None:
        cards.append(("Cost", f"${found.cost:.2f}", "all runs"))
    items = [tag("li", tag("span", a, class_="name"), tag("b", b), tag("span", c, class_="quiet")) for a, b, c in cards]
    return tag("ul", *items, class_="cards")


def _tags(content: Content) -> Markup:
    if not content.lines or content.scores is None:
        return joined()
    legend = [tag("span", "●", class_="now"), " now, with its 95% interval "]
    if content.baseline is not None:
        legend += [tag("span", "○", class_="before"), " baseline"]
    return tag("section", tag("h2", "By tag"), tag("p", *legend, class_="quiet legend"), plots.by_tag(content))


def _cases(content: Content) -> Markup:
    ordered = sorted(content.lines, key=lambda line: (line.p, line.change, line.rate if line.rate is not None else 2))
    any_failed = any(not sample.passed for line in ordered for sample in line.counting)
    switch = tag(
        "label",
        tag("input", type="checkbox", id="failing", checked=any_failed),
        " only cases that failed",
        class_="switch",
        for_="failing",
    )
    rows = [_case(line) for line in ordered]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Case", "Baseline", "Now", "Change")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="cases")
    return tag("section", tag("h2", "By case"), switch, tag("div", table, class_="wide", tabindex="0"))


def _case(line: CaseLine) -> Markup:
    counting = line.counting
    failed = any(not sample.passed for sample in counting)
    marks = [tag("span", "critical", class_="mark")] if line.critical else []
    marks += [tag("span", "beyond chance", class_="mark bad")] if line.p <= CHANCE else []
    before = f"{line.before.passed}/{line.before.repeats}" if line.before is not None else "none"
    if line.before is not None:
        share = line.before.passed / line.before.repeats
        meter = tag("span", tag("span", style=f"width:{share * 100:.0f}%"), class_="meter", aria_hidden="true")
    else:
        meter = joined()
    change = (
        ("0" if line.change == 0 else f"{line.change * 100:+.0f}")
        if line.before is not None and line.rate is not None
        else ""
    )
    return tag(
        "tr",
        tag("th", line.name, *marks, tag("small", ", ".join(line.tags)), scope="row"),
        tag("td", meter, before),
        tag("td", tag("span", *(_square(sample) for sample in line.tries), class_="strip")),
        tag("td", change, class_="down" if line.change < 0 else "up" if line.change > 0 else None),
        class_="failed" if failed else "fine",
    )


def _square(sample: Sample) -> Markup:
    sign, kind = ("✓", "ok") if sample.passed else ("✗", "no") if sample.counts else ("?", "away")
    told = f"epoch {sample.epoch}: {sample.outcome}" + (f": {'; '.join(sample.faults)[:300]}" if sample.faults else "")
    return tag("span", sign, class_=f"square {kind}", title=told)


def _drift(content: Content) -> Markup:
    if not content.drift:
        return joined()
    text = "Every stored run of this suite; the dashed line is a change of model."
    return tag("section", tag("h2", "Over time"), tag("p", text, class_="quiet"), plots.drift(content.drift))


def _beside(content: Content) -> Markup:
    failed = [line for line in (content.worse or content.lines) if any(not s.passed for s in line.counting)]
    if not failed:
        return joined()
    blocks = [_pair(line, content, opened=index == 0) for index, line in enumerate(failed[:SIDE_BY_SIDE])]
    left = len(failed) - SIDE_BY_SIDE
    more = [tag("p", f"… and {left} more cases failed.", class_="quiet")] if left > 0 else []
    return tag("section", tag("h2", "Failed, beside passed"), *blocks, *more)


def _pair(line: CaseLine, content: Content, *, opened: bool) -> Markup:
    failed = next(sample for sample in line.counting if not sample.passed)
    passed = next((sample for sample in line.counting if sample.passed), None)
    why = failed.faults[0] if failed.faults else "no reason was given"
    columns = [_transcript(failed, content, content.folder, f"Failed, epoch {failed.epoch}")]
    if passed is not None:
        columns.append(_transcript(passed, content, content.folder, f"Passed, epoch {passed.epoch}"))
    elif (before := content.passed_before.get(line.name)) is not None:
        columns.append(_transcript(before.sample, content, before.folder, f"Passed on {before.at:%d %B %Y}"))
    else:
        columns.append(tag("div", tag("h3", "Passed"), tag("p", "No run that passed is stored.", class_="quiet")))
    summary = tag("summary", tag("b", line.name), " ", tag("span", why, class_="quiet"))
    return tag("details", summary, tag("div", *columns, class_="beside"), open=opened)


def _transcript(sample: Sample, content: Content, folder: Path, title: str) -> Markup:
    told = turns(sample, folder)
    parts: list[Markup] = [tag("h3", title, class_="ok" if sample.passed else "no")]
    if sample.faults and not sample.passed:
        parts.append(tag("ul", *(tag("li", fault) for fault in sample.faults), class_="faults"))
    if told is None:
        link = content.link(sample)
        parts.append(tag("p", f"Its transcript is not here{f': {link}' if link else ''}.", class_="quiet"))
    else:
        parts.append(tag("ol", *_turns(told), class_="turns"))
    return tag("div", *parts)


def _turns(told: Sequence[Turn]) -> Iterator[Markup]:
    for turn in told:
        yield tag("li", tag("span", PEOPLE[turn.who], class_="who"), tag("p", turn.text), class_=turn.who)


def _foot(content: Content) -> Markup:
    one = content.identity
    lines = [
        f"Model {one.model} ({one.model_digest})",
        f"prompt {one.prompt_hash}",
        f"code {one.code_version}",
        "sampling " + ", ".join(f"{key} {value}" for key, value in one.sampling.items()),
    ]
    return tag("footer", tag("p", " · ".join(lines), class_="quiet"))
