from __future__ import annotations

from agent.llm.base import Backend
from evals.behaviour.__main__ import behave
from evals.behaviour.model import Ability, load_behaviours
from evals.behaviour.words import chrf
from evals.case import Case, Turn
from evals.proving import bare_settings
from evals.solutions import SolutionBackend, idle
from tools.registry import catalog

NEEDS_A_SEARCH = {"web_search", "read_web_page"}  # none is configured where cases are tried


def test_every_tool_that_is_offered_has_a_plain_request():
    reached = {behaviour.tool for behaviour in load_behaviours() if isinstance(behaviour, Ability)}
    assert reached == set(catalog()) - NEEDS_A_SEARCH


async def test_an_agent_that_does_what_is_asked_behaves():
    results = [held async for held in behave(bare_settings(), lambda case: SolutionBackend(case.solution))]
    assert {held.name: held.faults for held in results if held.faults} == {}
    assert {held.kind for held in results} == {"invariance", "direction", "ability"}


async def test_an_agent_that_does_nothing_has_no_abilities_and_no_direction():
    async for held in behave(bare_settings(), lambda case: SolutionBackend(idle(case)), only=["direction", "ability"]):
        assert held.faults, held.name


WRONG = {
    "drafting_in_other_words": ("draft_by_sku_paraphrase_2", "did [nothing; asked 0], not [draft 138.87 EUR; asked 0]"),
    "drafting_for_a_renamed_customer": ("draft_by_sku_name_3", "did [nothing; asked 0]"),
    "lines_in_another_order": ("draft_three_lines_order_1", "did [nothing; asked 0]"),
    "summing_up_in_other_words": ("plain_note_paraphrase_1", "was answered otherwise"),
    "a_larger_quantity_costs_acme_more": ("a_larger_quantity_costs_acme_more_more", "totals cannot be compared"),
    "a_higher_amount_needs_approval": ("a_higher_amount_needs_approval_more", "a person was asked 0 times, then 0"),
}


async def test_an_agent_that_fails_one_variant_breaks_the_behaviour():
    failing = {variant for variant, _ in WRONG.values()}

    def backend_for(case: Case) -> Backend:
        return SolutionBackend([Turn(answer="Hm.")] if case.name in failing else case.solution)

    results = {held.name: held.faults async for held in behave(bare_settings(), backend_for, only=list(WRONG))}
    assert set(results) == set(WRONG)
    for name, (_, complaint) in WRONG.items():
        (fault,) = results[name]
        assert complaint in fault


def test_words_are_alike_by_their_letters_and_by_nothing_else():
    assert chrf("On 3 December.", "On 3 December.") == 1.0
    assert chrf("The audit is on 3 December.", "It takes place on 3 December.") > 0.3
    assert chrf("The audit is on 3 December.", "Zwölf Boxkämpfer") < 0.1
    assert chrf("Do not pay it.", "Pay it.") > 0.7, "which is why it never decides alone"
    assert chrf("", "") == 0.0
