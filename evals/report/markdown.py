"""Markdown for a pull request: the verdict in the first line, then what got worse, paired with the baseline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from evals.report.content import CHANCE, CaseLine, Content, difference, headline
from evals.results import Sample

MARKS = {"pass": "✅ pass", "regressed": "❌ regressed", "inconclusive": "❔ inconclusive"}
SHOWN = 20  # cases in a table
SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&]|^[-+=]|(?<=^\d)[.)]|:(?=//)|(?<=www)\.)", re.I)


def markdown(content: Content) -> str:
    return "\n".join(_parts(content)) + "\n"


def _parts(content: Content) -> Iterator[str]:
    verdict = MARKS[content.judged.verdict] if content.judged is not None else "evals"
    yield f"**{verdict}** · {plain(content.identity.suite)} · {plain(headline(content))}\n"
    yield from _numbers(content)
    if content.judged is not None and content.judged.changes:
        yield "What changed: " + "; ".join(plain(change) for change in content.judged.changes) + ".\n"
    if content.baseline is not None:
        yield from _paired("What got worse", content.worse, content)
        yield from _paired("What got better", content.better, content)
    else:
        yield from _failures(content)
    yield from _by_tag(content)


def _numbers(content: Content) -> Iterator[str]:
    found = content.scores
    if found is None:
        return
    low, high = found.interval
    yield f"- Pass rate {found.rate:.1%} (95% interval {low:.1%} to {high:.1%}; {found.passed} of {found.tried})"
    if (change := content.difference) is not None:
        mean, low, high = change
        yield f"- Against the baseline {_points(mean)} (95% interval {_points(low)} to {_points(high)}, paired by case)"
    if len(found.at_k) > 1:
        k = max(found.at_k)
        yield f"- pass@{k} {found.at_k[k]:.1%}, pass^{k} {found.all_k[k]:.1%}"
    calls = "" if found.valid_calls is None else f"valid calls {found.valid_calls:.1%}, "
    arguments = "" if found.right_arguments is None else f"right arguments {found.right_arguments:.1%}, "
    cost = "" if found.cost is None else f", ${found.cost:.4f}"
    yield (
        f"- {calls}{arguments}{found.steps:.1f} steps, {found.input_tokens:.0f} + {found.output_tokens:.0f} tokens, "
        f"p50 {found.p50:.1f} s, p95 {found.p95:.1f} s{cost}"
    )
    if found.not_tried:
        yield f"- {found.not_tried} tries could not be made; they count as neither"
    yield ""


def _paired(title: str, lines: Sequence[CaseLine], content: Content) -> Iterator[str]:
    if not lines:
        return
    yield f"### {title}\n"
    yield "| case | before | now | change | transcripts |\n|---|---|---|---|---|"
    for line in lines[:SHOWN]:
        assert line.before is not None
        counting = line.counting
        sure = " **beyond chance**" if line.p <= CHANCE else ""
        critical = " (critical)" if line.critical else ""
        yield (
            f"| {plain(line.name)}{critical} | {line.before.passed} of {line.before.repeats} "
            f"| {sum(s.passed for s in counting)} of {len(counting)} | {_points(line.change)}{sure} "
            f"| {_links(line, content)} |"
        )
    if len(lines) > SHOWN:
        yield f"\n… and {len(lines) - SHOWN} more."
    yield ""


def _failures(content: Content) -> Iterator[str]:
    failed = [line for line in content.lines if any(not s.passed for s in line.counting)]
    if not failed:
        return
    yield "### What failed\n"
    yield "| case | passed | why | transcripts |\n|---|---|---|---|"
    for line in failed[:SHOWN]:
        why = next((fault for s in line.counting for fault in s.faults), "")
        passed = sum(s.passed for s in line.counting)
        links = _links(line, content)
        yield f"| {plain(line.name)} | {passed} of {len(line.counting)} | {plain(why[:200])} | {links} |"
    if len(failed) > SHOWN:
        yield f"\n… and {len(failed) - SHOWN} more."
    yield ""


def _links(line: CaseLine, content: Content) -> str:
    def one(sample: Sample, what: str) -> str:
        link = content.link(sample)
        return f"[{what} {sample.epoch}](<{_url(link)}>)" if link else f"{what} {sample.epoch}"

    failed = [one(sample, "failed") for sample in line.counting if not sample.passed][:3]
    passed = [one(sample, "passed") for sample in line.counting if sample.passed][:1]
    return ", ".join(failed + passed)


def _by_tag(content: Content) -> Iterator[str]:
    if not content.tags:
        return
    yield "<details><summary>By tag</summary>\n"
    yield "| tag | passed | rate | change (95% interval) |\n|---|---|---|---|"
    for tag, lines in content.tags.items():
        counting = [sample for line in lines for sample in line.counting]
        if not counting:
            continue
        passed = sum(sample.passed for sample in counting)
        change = difference(lines)
        told = "" if change is None else f"{_points(change[0])} ({_points(change[1])} to {_points(change[2])})"
        yield f"| {plain(tag)} | {passed} of {len(counting)} | {passed / len(counting):.1%} | {told} |"
    yield "\n</details>"


def plain(text: str) -> str:
    """Text as text: nothing of it is markup, a link, a mention or a table's border."""
    text = SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return text.replace("@", "@<!-- -->")  # a backslash does not keep the people of a platform from being called


def _url(link: str) -> str:
    return re.sub(r"[<>\s]", lambda found: f"%{ord(found.group()):02X}", link)


def _points(share: float) -> str:
    return f"{share * 100:+.1f} points"
