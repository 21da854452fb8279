from __future__ import annotations

from dataclasses import replace

from evals.requests.cases import Expected, NewInvoice
from evals.requests.check import faults
from evals.requests.drive import Call, Made
from evals.requests.world import InvoiceState, State

OPEN = InvoiceState("cus_acme", "issued", "100.00 EUR", "PO-1", {"WID-1001": "2"}, None)
BEFORE = State({"inv_a": OPEN}, frozenset({"po_a"}))
PAID = replace(OPEN, status="paid", paid="100.00 EUR")
DRAFT = InvoiceState("cus_acme", "draft", "38.08 EUR", None, {"WID-1001": "1"}, None)
WANTED = NewInvoice(customer="cus_acme", status="draft", lines={"WID-1001": "1"}, total="38.08 EUR")


def done(*calls: Call, approvals: int = 0) -> Made:
    return Made(statuses=["succeeded"], executed=list(calls), approvals=approvals)


def after(**changes: InvoiceState) -> State:
    return State({**BEFORE.invoices, **changes}, BEFORE.orders)


def test_nothing_expected_and_nothing_changed_is_right():
    assert faults(Expected(), BEFORE, BEFORE, done()) == []


def test_a_change_that_was_not_asked_for_is_wrong():
    assert faults(Expected(), BEFORE, after(inv_a=PAID), done()) == [
        "inv_a is paid, not issued",
        "inv_a was paid 100.00 EUR, not None",
    ]
    assert len(faults(Expected(), BEFORE, after(inv_b=DRAFT), done())) == 1
    assert faults(Expected(), BEFORE, State(BEFORE.invoices, frozenset({"po_a", "po_b"})), done()) == [
        "a purchase order was recorded"
    ]


def test_a_change_that_was_asked_for_must_be_there_exactly():
    expected = Expected(status={"inv_a": "paid"}, paid={"inv_a": "100.00 EUR"})
    assert faults(expected, BEFORE, after(inv_a=PAID), done()) == []
    assert len(faults(expected, BEFORE, BEFORE, done())) == 2
    assert len(faults(expected, BEFORE, after(inv_a=replace(PAID, paid="99.00 EUR")), done())) == 1


def test_a_further_payment_is_told_from_what_was_paid_before():
    before = State({"inv_a": replace(OPEN, paid="40.00 EUR")}, BEFORE.orders)
    expected = Expected(paid={"inv_a": "10.00 EUR"})
    assert faults(expected, before, after(inv_a=replace(OPEN, paid="50.00 EUR")), done()) == []


def test_each_new_invoice_answers_for_one_that_was_wanted():
    expected = Expected(invoices=[WANTED])
    assert faults(expected, BEFORE, after(inv_b=DRAFT), done()) == []
    assert len(faults(expected, BEFORE, after(inv_b=DRAFT, inv_c=DRAFT), done())) == 1
    for wrong in (
        replace(DRAFT, status="issued"),
        replace(DRAFT, lines={"WID-1001": "2"}),
        replace(DRAFT, customer="cus_globex"),
        replace(DRAFT, total="38.09 EUR"),
        replace(DRAFT, paid="1.00 EUR"),
    ):
        assert len(faults(expected, BEFORE, after(inv_b=wrong), done())) == 2


def test_a_call_counts_only_when_it_succeeded_with_those_arguments():
    expected = Expected(calls=[{"get_customer": {"customer": "cus_acme"}}])
    right = Call("get_customer", {"customer": "cus_acme"}, "succeeded")
    assert faults(expected, BEFORE, BEFORE, done(right)) == []
    assert len(faults(expected, BEFORE, BEFORE, done(replace(right, status="failed")))) == 1
    assert len(faults(expected, BEFORE, BEFORE, done(replace(right, arguments={"customer": "cus_b"})))) == 1


def test_how_often_a_person_was_asked_counts_where_it_is_said():
    assert faults(Expected(), BEFORE, BEFORE, done(approvals=2)) == []
    assert len(faults(Expected(approvals=0), BEFORE, BEFORE, done(approvals=1))) == 1


def test_a_run_that_failed_is_wrong_whatever_it_left():
    assert faults(Expected(), BEFORE, BEFORE, Made(statuses=["failed"])) == ["the run ended failed"]
