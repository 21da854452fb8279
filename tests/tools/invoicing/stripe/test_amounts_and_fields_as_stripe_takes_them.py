from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import Conflict
from tools.invoicing.stripe.amounts import from_stripe, to_stripe
from tools.invoicing.stripe.form import Value, form
from tools.money import ISO_4217, Money


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        ("10.00 EUR", 1000),
        ("-0.01 EUR", -1),
        ("500 JPY", 500),
        ("500 KRW", 500),
        ("5.120 KWD", 5120),
        ("12.00 MGA", 12),
        ("5 ISK", 500),
        ("9.99 HUF", 999),
    ],
)
def test_amounts_are_in_stripes_unit(money: str, amount: int):
    assert to_stripe(Money.parse(money)) == amount
    assert from_stripe(amount, money[-3:].lower()) == Money.parse(money)


@pytest.mark.parametrize("money", ["5.124 KWD", "12.50 MGA", "10 UGX", "1.000 LYD"])
def test_what_stripe_cannot_take_exactly_is_refused(money: str):
    with pytest.raises(Conflict, match=r"Stripe (does not|cannot) take"):
        to_stripe(Money.parse(money))


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(ISO_4217)))
def test_an_amount_that_is_taken_comes_back_the_same(minor: int, currency: str):
    try:
        amount = to_stripe(Money(minor, currency))
    except Conflict:
        return
    assert from_stripe(amount, currency.lower()) == Money(minor, currency)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"a": "x", "b": 1, "c": None}, [("a", "x"), ("b", "1")]),
        ({"a": True, "b": False}, [("a", "true"), ("b", "false")]),
        ({"a": {"b": {"c": "x"}, "d": None}}, [("a[b][c]", "x")]),
        ({"a": ["x", {"b": 2}]}, [("a[0]", "x"), ("a[1][b]", "2")]),
        ({"a": ""}, [("a", "")]),
    ],
)
def test_parameters_are_form_fields_nested_by_brackets(values: dict[str, Value], fields: list[tuple[str, str]]):
    assert form(values) == fields
