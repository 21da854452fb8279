"""JUnit XML, as build servers read it: a test case for each sample, and one for the gate's verdict."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from evals.report.content import Content, headline
from evals.results import Sample

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(content: Content) -> str:
    """The document. A sample that could not be tried is an `error`; an inconclusive gate is a `skipped` one."""
    suites = Element("testsuites", name=_clean(f"deskclerk evals: {content.identity.suite}"))
    suite = SubElement(suites, "testsuite", name=_clean(content.identity.suite), hostname="evals")
    suite.set("timestamp", content.started.replace(tzinfo=None).isoformat(timespec="seconds"))
    properties = SubElement(suite, "properties")
    for name, value in content.identity.model_dump(mode="json").items():
        SubElement(properties, "property", name=name, value=_clean(str(value)))
    for line in content.lines:
        for sample in line.tries:
            _sample(suite, content, sample)
    _count(suite)
    if content.judged is not None:
        _verdict(suites, content, content.judged.verdict)
    _total(suites)
    indent(suites)
    return tostring(suites, "unicode", xml_declaration=True) + "\n"


def _sample(suite: Element, content: Content, sample: Sample) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=_clean(f"{content.identity.suite}.{sample.tags[0] if sample.tags else 'untagged'}"),
        name=_clean(f"{sample.case} (epoch {sample.epoch})"),
        time=f"{sample.seconds:.3f}",
    )
    if sample.passed:
        return
    faults = [_clean(fault) for fault in sample.faults] or ["no reason was given"]
    kind, what = ("failure", "CaseFailed") if sample.counts else ("error", "NotTried")
    child = SubElement(case, kind, message=faults[0], type=what)
    child.text = "\n".join(faults)
    if (link := content.link(sample)) is not None:
        SubElement(case, "system-out").text = _clean(f"transcript: {link}")


def _verdict(suites: Element, content: Content, verdict: str) -> None:
    suite = SubElement(suites, "testsuite", name="gate", hostname="evals")
    suite.set("timestamp", content.started.replace(tzinfo=None).isoformat(timespec="seconds"))
    SubElement(suite, "properties")
    case = SubElement(suite, "testcase", classname="gate", name="no regression", time="0.000")
    if verdict == "regressed":
        SubElement(case, "failure", message=_clean(headline(content)), type="Regressed").text = _clean(
            headline(content)
        )
    elif verdict == "inconclusive":
        SubElement(case, "skipped", message=_clean(headline(content)))
    _count(suite)


def _count(suite: Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite.findall('testcase')):.3f}")


def _total(suites: Element) -> None:
    for name in ("tests", "failures", "errors"):
        suites.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    suites.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")


def _clean(text: str) -> str:
    """Without characters that XML cannot carry, escaped or not."""
    return NOT_XML.sub("\ufffd", text)
