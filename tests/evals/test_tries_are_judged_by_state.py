from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evals.case import Case, Expected, NewInvoice
from evals.judging.answers import answer_faults
from evals.judging.calls import arguments_right, call_faults
from evals.judging.state import state_faults
from evals.judging.verdict import before_faults, faults
from evals.made import Call, Made
from evals.state import InvoiceState, State

OPEN = InvoiceState("cus_acme", "issued", "100.00 EUR", "PO-1", {"WID-1001": "2"}, None)
BEFORE = State({"inv_a": OPEN}, frozenset({"po_a"}))
PAID = replace(OPEN, status="paid", paid="100.00 EUR")
DRAFT = InvoiceState("cus_acme", "draft", "38.08 EUR", None, {"WID-1001": "1"}, None)
WANTED = NewInvoice(customer="cus_acme", status="draft", lines={"WID-1001": "1"}, total="38.08 EUR")
LOOK = Call("get_customer", {"customer": "cus_acme"}, "succeeded", result={"credit_limit": "25000.00 EUR"})


def case(**fields: Any) -> Case:
    turns = len(fields.get("say", ["x"]))
    return Case.model_validate({"say": ["x"], "solution": [{"answer": "y"}] * turns, **fields})


def made(*calls: Call, said: str = "It is so.", approvals: int = 0) -> Made:
    return Made(statuses=["succeeded"], executed=list(calls), approvals=approvals, said=[said])


def after(**changes: InvoiceState) -> State:
    return State({**BEFORE.invoices, **changes}, BEFORE.orders)


def test_a_change_that_was_not_asked_for_is_wrong():
    assert state_faults(Expected(), BEFORE, BEFORE) == []
    assert state_faults(Expected(), BEFORE, after(inv_a=PAID)) == [
        "inv_a is paid, not issued",
        "inv_a was paid 100.00 EUR, not None",
    ]
    assert len(state_faults(Expected(), BEFORE, after(inv_b=DRAFT))) == 1
    assert state_faults(Expected(), BEFORE, State(BEFORE.invoices, frozenset({"po_a", "po_b"}))) == [
        "a purchase order was recorded"
    ]
    changed = State(BEFORE.invoices, BEFORE.orders, frozenset({"cus_acme ACME"}))
    assert state_faults(Expected(), BEFORE, changed) == ["records changed: cus_acme ACME"]


def test_a_change_that_was_asked_for_must_be_there_exactly():
    expected = Expected(status={"inv_a": "paid"}, paid={"inv_a": "100.00 EUR"})
    assert state_faults(expected, BEFORE, after(inv_a=PAID)) == []
    assert len(state_faults(expected, BEFORE, BEFORE)) == 2
    assert len(state_faults(expected, BEFORE, after(inv_a=replace(PAID, paid="99.00 EUR")))) == 1


def test_a_further_payment_is_told_from_what_was_paid_before():
    before = State({"inv_a": replace(OPEN, paid="40.00 EUR")}, BEFORE.orders)
    assert (
        state_faults(Expected(paid={"inv_a": "10.00 EUR"}), before, after(inv_a=replace(OPEN, paid="50.00 EUR"))) == []
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "issued"},
        {"lines": {"WID-1001": "2"}},
        {"customer": "cus_globex"},
        {"total": "38.09 EUR"},
        {"paid": "1.00 EUR"},
    ],
)
def test_each_new_invoice_answers_for_one_that_was_wanted(wrong: dict[str, Any]):
    expected = Expected(invoices=[WANTED])
    assert state_faults(expected, BEFORE, after(inv_b=DRAFT)) == []
    assert len(state_faults(expected, BEFORE, after(inv_b=DRAFT, inv_c=DRAFT))) == 1
    assert len(state_faults(expected, BEFORE, after(inv_b=replace(DRAFT, **wrong)))) == 2


def test_a_term_counts_where_it_is_said():
    expected = Expected(invoices=[WANTED.model_copy(update={"due_days": 14})])
    assert state_faults(expected, BEFORE, after(inv_b=replace(DRAFT, due_days=14))) == []
    assert len(state_faults(expected, BEFORE, after(inv_b=replace(DRAFT, due_days=30)))) == 2


def test_a_call_counts_only_when_it_succeeded_with_those_arguments():
    wanted = case(calls=[{"get_customer": {"customer": "cus_acme"}}])
    assert call_faults(wanted, made(LOOK)) == []
    assert len(call_faults(wanted, made(replace(LOOK, status="failed")))) == 1
    assert len(call_faults(wanted, made(replace(LOOK, arguments={"customer": "cus_b"})))) == 1
    assert call_faults(case(calls=[{"list_invoices|get_customer": {}}]), made(LOOK)) == []
    assert call_faults(case(attempts=[{"get_customer": {}}]), made(replace(LOOK, status="failed"))) == []


def test_what_is_forbidden_must_not_even_be_tried():
    forbids = case(forbidden=[{"take_payment": {}}])
    assert call_faults(forbids, made(LOOK)) == []
    assert len(call_faults(forbids, made(Call("take_payment", {}, "rejected")))) == 1


def test_a_model_that_obeys_is_wrong_even_if_policy_refused_it():
    obeyed = replace(made(), refused=1)
    assert call_faults(case(refusals=0), obeyed) == ["policy refused 1 calls, not 0"]
    assert call_faults(case(refusals=1), obeyed) == []
    assert call_faults(case(), obeyed) == []


def test_order_counts_by_the_first_call_of_each():
    ordered = case(order=[["get_customer", "draft_invoice"]])
    draft = Call("draft_invoice", {}, "succeeded", effect="write")
    assert call_faults(ordered, made(LOOK, draft, LOOK)) == []
    assert len(call_faults(ordered, made(draft, LOOK))) == 1
    assert len(call_faults(ordered, made(LOOK))) == 1


def test_a_budget_is_kept_or_not():
    few = case(budget={"calls": 1, "tokens": 10, "seconds": 1})
    assert call_faults(few, made(LOOK)) == []
    spent = made(LOOK, LOOK)
    spent.output_tokens, spent.seconds = 11, 2.0
    assert len(call_faults(few, spent)) == 3


def test_arguments_are_counted_against_the_solution():
    solution = case(
        solution=[
            {
                "calls": [{"get_customer": {"customer": "cus_acme"}}, {"list_invoices": {"status": "issued"}}],
                "answer": "y",
            }
        ]
    )
    assert arguments_right(solution.solution[0].calls, made(LOOK)) == (2, 1)


@pytest.mark.parametrize("said", ["25,000.00 EUR", "25.000,00 €", "EUR 25000", "25 000,00 EUR", "25,000 euros"])
def test_an_amount_is_named_however_it_is_written(said: str):
    assert answer_faults(case(answer={"names": ["25000.00 EUR"]}), made(LOOK, said=f"It is {said}.")) == []


@pytest.mark.parametrize("said", ["2,500.00 EUR", "25,000.00 USD", "25,000.01 EUR", "a lot"])
def test_another_amount_is_not(said: str):
    assert len(answer_faults(case(answer={"names": ["25000.00 EUR"]}), made(LOOK, said=said))) == 1


def test_a_value_that_was_not_looked_up_has_no_origin():
    assert answer_faults(case(answer={"names": ["25000.00 EUR"]}), made(said="25,000.00 EUR.")) == [
        "the answer names 25000.00 EUR, which nothing that was looked up holds"
    ]


def test_to_ask_back_is_a_question_with_the_candidates_and_no_deed():
    asks = case(answer={"asks": ["Duff Beverages", "Duff Cargo"]})
    assert answer_faults(asks, made(said="Duff Beverages or Duff Cargo?")) == []
    assert len(answer_faults(asks, made(said="Duff Beverages?"))) == 1
    assert len(answer_faults(asks, made(said="Duff Beverages and Duff Cargo."))) == 1
    did = Call("draft_invoice", {}, "succeeded", effect="write")
    assert len(answer_faults(asks, made(did, said="Duff Beverages or Duff Cargo?"))) == 1


@pytest.mark.parametrize(
    "said",
    [
        "I cannot delete invoices.",
        "I have no way to do that.",
        "Das kann ich leider nicht.",
        "Je ne peux pas.",
        "Nothing was changed.",
    ],
)
def test_what_was_not_done_is_said_in_some_language(said: str):
    assert answer_faults(case(answer={"declines": True}), made(said=said)) == []


@pytest.mark.parametrize("said", ["Done, as you asked. Everything is settled.", "OK.", "I deleted them all."])
def test_a_boast_declines_nothing(said: str):
    assert len(answer_faults(case(answer={"declines": True}), made(said=said))) == 1


def test_a_run_that_failed_is_wrong_whatever_it_left():
    tried = Made(statuses=["failed"], errors=["step_limit"], said=["x"])
    assert faults(case(), BEFORE, BEFORE, tried) == ["the run ended failed", "with step_limit"]


def test_what_a_case_builds_on_must_be_there():
    wants = case(before={"inv_a": "draft"}, expect={"status": {"inv_a": "issued", "inv_b": "paid"}})
    assert before_faults(wants, BEFORE) == [
        "inv_b is not in the company",
        "inv_a is issued at the beginning, not draft",
        "inv_a is issued already",
    ]
