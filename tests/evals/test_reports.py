"""Reports say what got worse, and take nothing of a transcript as markup."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from evals.gate.run import Options, judge
from evals.report.content import Content, Stored, content_of, headline
from evals.report.junit import junit
from evals.report.markdown import markdown, plain
from evals.report.markup import tag
from evals.report.page import page
from evals.report.transcripts import turns
from evals.results import Results, Sample
from tests.support.bernoulli_cases import IDENTITY, BernoulliCases, baseline_of, suite

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script> | @everyone ![x](http://evil.test) ]]> \"' \x00\x1b"
CASES = suite()
BASELINE = baseline_of(CASES)


async def judged_content(tmp_path: Path, broken: int = 8) -> Content:
    """A suite of which `broken` cases fail, with transcripts and faults that would like to be markup."""
    sampler = BernoulliCases(CASES, {case.name: 0.0 for case in CASES[:broken]})
    judged = await judge(sampler, BASELINE, Options())
    (tmp_path / "run").mkdir()
    samples: list[Sample] = []
    for sample in judged.samples:
        transcript = f"run/{sample.case}.{sample.epoch}.json"
        events: list[dict[str, Any]] = [
            {"type": "run.started", "data": {}},
            {"type": "tool.call", "data": {"tool": "find_customer", "arguments": {"query": EVIL}}},
            {"type": "message", "data": {"text": EVIL}},
        ]
        (tmp_path / transcript).write_text(json.dumps({"say": [EVIL], "said": [], "events": events}))
        faults = (EVIL,) if not sample.passed else ()
        samples.append(sample.model_copy(update={"faults": faults, "transcript": transcript}))
    results = Results(identity=IDENTITY, cases=tuple(CASES), started=NOW, samples=tuple(samples))
    earlier = results.model_copy(
        update={
            "started": NOW - timedelta(days=3),
            "samples": tuple(s.model_copy(update={"outcome": "passed"}) for s in samples),
        }
    )
    return content_of(
        results,
        folder=tmp_path,
        baseline=BASELINE,
        judged=judged,
        drift=[Stored(earlier, tmp_path), Stored(results, tmp_path)],
        link_base="https://ci.test/artifacts/",
    )


async def test_the_first_line_of_the_markdown_is_the_verdict(tmp_path: Path):
    text = markdown(await judged_content(tmp_path))
    assert text.startswith("**❌ regressed** · office · Worse than main after 60 runs")
    assert "| case\\_000 | 20 of 20 | 0 of 1 | -100.0 points" in text
    assert "[failed 1](<https://ci.test/artifacts/run/case_000.1.json>)" in text


async def test_a_pass_says_so(tmp_path: Path):
    content = await judged_content(tmp_path, broken=0)
    assert markdown(content).startswith("**✅ pass**")
    assert headline(content).startswith("As good as main after 60 runs")


def test_text_in_markdown_is_text():
    assert plain(EVIL).startswith(
        "\\<script\\>alert(1)\\</script\\> \\| @<!-- -->everyone !\\[x\\](http\\://evil.test)"
    )
    assert "\n" not in plain("a\n# b")


async def test_junit_counts_what_it_holds_and_shows_the_faults(tmp_path: Path):
    root = fromstring(junit(await judged_content(tmp_path)))
    assert root.tag == "testsuites"
    assert [s.get("name") for s in root] == ["office", "gate"]
    for one in root:
        assert next(child.tag for child in one) == "properties"
        assert int(one.attrib["tests"]) == len(one.findall("testcase"))
        assert int(one.attrib["failures"]) == len(one.findall("testcase/failure"))
        assert {"timestamp", "hostname", "time", "errors", "skipped"} <= set(one.attrib)
    assert (root.get("tests"), root.get("failures")) == ("61", "9")
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.text or "").startswith("<script>alert(1)</script>")
    assert "\x1b" not in (failure.text or "")


async def test_what_could_not_be_tried_is_an_error_in_junit_and_no_verdict_a_skipped_test():
    sampler = BernoulliCases(CASES, away={"case_003": 99})
    judged = await judge(sampler, BASELINE, Options())
    results = Results(identity=IDENTITY, cases=tuple(CASES), started=NOW, samples=judged.samples)
    root = fromstring(junit(content_of(results, folder=Path(), baseline=BASELINE, judged=judged)))
    assert len(root.findall("testsuite[@name='office']/testcase/error")) == 3
    assert len(root.findall("testsuite[@name='gate']/testcase/skipped")) == 1


class Tags(HTMLParser):
    """Which tags a page has, what it refers to, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.refers: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open.append(tag)
        self._attributes(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self._attributes(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> None:
        self.refers += [f"{name}={value}" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]


async def test_the_page_stands_alone_and_runs_nothing(tmp_path: Path):
    text = page(await judged_content(tmp_path))
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not {"script", "img", "link", "iframe"} & set(tags.seen)
    assert tags.refers == []
    assert "default-src &#x27;none&#x27;" in text
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert len(re.findall(r"<svg ", text)) == 2


async def test_a_failed_transcript_stands_beside_one_that_passed_before(tmp_path: Path):
    text = page(await judged_content(tmp_path))
    assert "Failed, epoch 1" in text
    assert "Passed on 22 November 2026" in text
    assert "find_customer(" in text


def test_an_attribute_cannot_be_left():
    assert tag("p", "<b>", title='"><script>') == '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;</p>'


@pytest.mark.parametrize("path", ["../outside.json", "missing.json", "https://elsewhere.test/x.json", "broken.json"])
def test_a_transcript_is_read_only_from_the_folder_of_its_results(path: str, tmp_path: Path):
    folder = tmp_path / "results"
    folder.mkdir()
    (tmp_path / "outside.json").write_text('{"say": ["secret"], "said": []}')
    (folder / "broken.json").write_text("{")
    assert turns(Sample(case="a", epoch=1, outcome="failed", transcript=path), folder) is None
