from __future__ import annotations

from pathlib import Path

import pytest

from evals.requests.cases import Request, load
from evals.requests.drive import ORDERS
from tools.money import Money
from tools.registry import catalog
from tools.samples.company import CUSTOMERS, INVOICES, PRODUCTS

REQUESTS = load()
SEEDED = {f"inv_seed{position:02d}" for position in range(1, len(INVOICES) + 1)}


def test_there_are_thirty_of_every_kind():
    assert len(REQUESTS) >= 30
    assert {request.kind for request in REQUESTS} == {
        "lookup",
        "by_hand",
        "order",
        "bad_order",
        "issue",
        "payment",
        "refusal",
        "turns",
        "ambiguous",
    }


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: asked.name)
def test_a_request_speaks_of_what_is_there(asked: Request):
    assert all((ORDERS / name).is_file() for name in asked.attach)
    expect = asked.expect
    assert {*expect.status, *expect.paid} <= SEEDED
    assert {tool for call in expect.calls for tool in call} <= set(catalog())
    for invoice in expect.invoices:
        assert invoice.customer in {customer.id for customer in CUSTOMERS}
        assert set(invoice.lines or ()) <= {product.sku for product in PRODUCTS}
        for amount in (invoice.total, invoice.paid):
            assert amount is None or str(Money.parse(amount)) == amount


def test_a_bad_order_expects_nothing_at_all():
    for request in REQUESTS:
        if request.kind in ("bad_order", "ambiguous", "refusal", "lookup"):
            assert not request.expect.invoices
            assert not request.expect.status
            assert not request.expect.paid


def test_requests_are_chosen_by_name_or_kind():
    assert {request.kind for request in load(only=["payment"])} == {"payment"}
    assert [request.name for request in load(only=["pay_by_number"])] == ["pay_by_number"]
    with pytest.raises(ValueError, match="has no request called pay_by_magic"):
        load(only=["pay_by_magic"])


def test_two_requests_of_one_name_are_refused(tmp_path: Path):
    path = tmp_path / "twice.yaml"
    path.write_text("- {name: a, kind: lookup, say: [hi]}\n" * 2)
    with pytest.raises(ValueError, match="more than one request is called a"):
        load(path)
