from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.grounding.examples import EXAMPLES
from evals.case import Case
from evals.driving import content_of
from evals.proving import Proof, bare_settings, prove
from evals.solutions import SolutionBackend
from evals.suite import SCHEMA, InvalidCase, load, schema
from evals.trying import attempt
from evals.worlds import Worlds
from tools.registry import catalog

CASES = load()
KINDS = "ambiguous bad_order by_hand document injection issue language lookup order payment refusal role turns".split()
SAY = 'say: ["What is the credit limit of ACME?"]\nsolution: [{answer: "It is 25,000.00 EUR."}]\n'


async def proofs(cases: list[Case]) -> list[Proof]:
    return [proof async for proof in prove(cases)]


def test_there_are_enough_of_every_kind():
    assert len(CASES) >= 120
    for kind in KINDS:
        assert sum(kind in case.tags for case in CASES) >= 7, kind
    assert sum(case.critical for case in CASES) >= 20
    assert len({case.digest for case in CASES}) == len(CASES)


def test_no_two_cases_say_the_same_in_the_same_world():
    told = [json.dumps([list(case.say), case.seed.model_dump(), str(case.attach), case.role]) for case in CASES]
    assert len(set(told)) == len(told)


def test_no_case_is_a_worked_example_of_the_prompt():
    shown = {example.request.split("\n")[0].casefold() for example in EXAMPLES}
    assert not [case.name for case in CASES if shown & {said.casefold() for said in case.say}]


def test_every_case_speaks_of_tools_and_files_that_there_are():
    for case in CASES:
        patterns = [
            *case.calls,
            *case.attempts,
            *case.forbidden,
            *(call for turn in case.solution for call in turn.calls),
        ]
        assert {tool for pattern in patterns for name in pattern for tool in name.split("|")} <= set(catalog()), (
            case.name
        )
        assert all(content_of(attached) for attached in case.attach)


def test_the_schema_for_editors_is_current():
    assert SCHEMA.read_text() == schema(), "write it again: python -m evals.suite"


async def test_a_proof_refuses_what_proves_nothing(tmp_path: Path):
    folder = tmp_path / "cases" / "kind"
    folder.mkdir(parents=True)
    (folder / "too_easy.yaml").write_text(SAY)
    (folder / "unsolved.yaml").write_text(SAY + "calls: [{get_customer: {customer: cus_acme}}]\n")
    (folder / "gone.yaml").write_text(SAY + "before: {inv_none: draft}\nanswer: {mentions: [EUR]}\n")
    by_name = {proof.case: proof.problems for proof in await proofs(load(tmp_path / "cases"))}
    assert by_name == {
        "too_easy": ["an agent that does nothing passes", "an agent that only talks passes"],
        "unsolved": ["its solution fails: get_customer(customer='cus_acme') did not succeed"],
        "gone": ["inv_none is not in the company"],
    }


FEW = [
    "pay_a_part",
    "two_customers_of_one_name",
    "delete_is_not_possible",
    "rejected_then_approved",
    "viewer_cannot_draft",
]


async def test_a_few_cases_are_proven():
    assert [proof.problems for proof in await proofs(load(names=FEW))] == [[]] * len(FEW)


async def test_a_choice_that_nobody_made_is_stopped_by_policy_alone(tmp_path: Path):
    (case,) = load(names=["only_policy_stands_in_the_way"])
    async with Worlds(tmp_path, bare_settings(), SolutionBackend(()), size=1, policy=None) as worlds:
        tried = await attempt(case, worlds, SolutionBackend(case.solution))
    assert (tried.faults, tried.made.refused, tried.made.approvals) == ([], 1, 0)
    assert [call.tool for call in tried.made.calls] == ["find_customer", "list_invoices"]


@pytest.mark.service  # no server: too long for the fast suite, 40 s
async def test_every_case_is_proven():
    wrong = {proof.case: proof.problems for proof in await proofs(CASES) if proof.problems}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "a case is a mapping"),
        ("say: []\nsolution: [{answer: a}]", "say: Value should have at least 1 item"),
        (SAY + "sya: 1", "sya: Extra inputs are not permitted"),
        (SAY + "answers: {1: {declines: true}}", "there is no such turn"),
        ('say: [a, b]\nsolution: [{answer: "a"}]', "solution has 1 turns, and 2 are said"),
    ],
)
def test_a_file_that_is_no_case_is_refused_by_name(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / "it.yaml").write_text(text)
    with pytest.raises(InvalidCase, match=r"^kind/it\.yaml: ") as refused:
        load(tmp_path)
    assert complaint in str(refused.value)


def test_cases_are_chosen_by_tag_or_name():
    assert {case.tags[0] for case in load(tags=["payment"])} == {"payment"}
    assert [case.name for case in load(names=["pay_by_number"])] == ["pay_by_number"]
    with pytest.raises(InvalidCase, match="no case or tag called pay_by_magic"):
        load(names=["pay_by_magic"])


def test_cases_may_be_rows(tmp_path: Path):
    row = {"name": "one", "say": ["x"], "solution": [{"answer": "y"}]}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n\n" + json.dumps({**row, "name": "two"}) + "\n")
    assert [(case.name, case.tags) for case in load(path)] == [("one", ["rows"]), ("two", ["rows"])]
    path.write_text(json.dumps(row) + "\n" + json.dumps(row))
    with pytest.raises(InvalidCase, match="more than one case is called one"):
        load(path)


def test_a_folder_of_cases_is_a_suite_and_an_empty_one_is_none(tmp_path: Path):
    assert {case.tags[0] for case in load(SCHEMA.parent / "lookup")} == {"lookup"}
    with pytest.raises(InvalidCase, match="no cases"):
        load(tmp_path)
