"""Identifiers, names, quantities, money and references as people and models write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import JsonSchemaMode

from tools import names
from tools.ids import derived_id, new_id, unused_id
from tools.money import ISO_4217, Money, decimals
from tools.quantity import Quantity
from tools.values import Invoice, Product, Ref

MODES: tuple[JsonSchemaMode, ...] = ("validation", "serialization")


class Wire(BaseModel):
    quantity: Quantity


def test_identifiers_are_short_and_without_letters_that_look_alike():
    made = {new_id("doc") for _ in range(500)}
    assert len(made) == 500
    assert all(len(each) == 12 and not set(each[4:]) & set("lo01") for each in made)


def test_a_derived_identifier_is_the_same_for_the_same_call_and_kind_only():
    assert derived_id("inv", "key-1") == derived_id("inv", "key-1")
    assert derived_id("inv", "key-1") != derived_id("inv", "key-2")
    assert derived_id("inv", "key-1")[4:] != derived_id("pay", "key-1")[4:]


async def test_an_identifier_that_is_taken_is_not_given_out():
    asked: list[str] = []

    async def taken(identifier: str) -> bool:
        asked.append(identifier)
        return len(asked) < 3

    assert await unused_id("doc", taken) == asked[2]


async def test_a_check_that_always_says_taken_is_an_error_not_a_loop():
    async def taken(identifier: str) -> bool:
        return True

    with pytest.raises(RuntimeError, match="taken"):
        await unused_id("doc", taken)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("ACME GmbH", "acme", 100),
        ("Bäckerei Müller & Söhne KG", "Backerei Muller and Sohne", 100),
        ("Duff Beverages sp. z o.o.", "DUFF BEVERAGES", 100),
        ("Wonka Dolciumi S.r.l.", "Wonka Dolciumi", 100),
        ("Umbrella", "Umbrella Pharma SA", 90),
        ("", "ACME", 0),
    ],
)
def test_names_are_compared_without_accents_case_and_legal_form(one: str, other: str, likeness: int):
    assert names.likeness(one, other) == likeness
    assert names.same(one, other) == (likeness == 100)


@pytest.mark.parametrize(("one", "other"), [("Globex", "Initech"), ("ACME", "Acne Studios"), ("AB", "AG")])
def test_different_names_are_not_similar(one: str, other: str):
    assert not names.same(one, other)


def test_a_name_that_is_all_legal_form_keeps_a_word():
    assert names.normalize("Co Ltd") == "co"


@pytest.mark.parametrize(
    ("json", "milli"), [("2.5", 2500), ('"2.5"', 2500), ("10", 10000), ("0.001", 1), ("1e3", 1000000)]
)
def test_a_quantity_is_read_exactly_from_a_number_or_a_string(json: str, milli: int):
    wire = Wire.model_validate_json(f'{{"quantity": {json}}}')
    assert wire.quantity.milli == milli
    assert Wire.model_validate(wire.model_dump()) == wire


@pytest.mark.parametrize("json", ["0", "-1", "0.0001", '"ten"', "true", "null", "[]", "1e400", '"NaN"'])
def test_a_quantity_that_is_none_is_refused(json: str):
    with pytest.raises(ValidationError):
        Wire.model_validate_json(f'{{"quantity": {json}}}')


def test_a_quantity_is_a_number_for_who_writes_it_and_a_string_for_who_reads_it():
    written, read = (Wire.model_json_schema(mode=mode)["properties"]["quantity"] for mode in MODES)
    assert (written["type"], written["exclusiveMinimum"], read["type"]) == ("number", 0, "string")
    assert Wire(quantity=Quantity.of("12.50")).model_dump(mode="json") == {"quantity": "12.5"}


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(ISO_4217)))
def test_money_survives_the_wire_in_every_currency(minor: int, currency: str):
    money = Money(minor, currency)
    assert Money.parse(str(money)) == money
    assert money.decimal == Decimal(minor).scaleb(-decimals(currency))
    assert Money.of(money.decimal, currency) == money


def test_a_reference_takes_any_sku_but_an_invoice_only_its_own_form():
    class Named(BaseModel):
        product: Ref[Product]
        invoice: Ref[Invoice]

    named = Named.model_validate({"product": "121212", "invoice": "INV-2026-0001"})
    assert (named.product.id, named.invoice.id) == ("121212", "INV-2026-0001")
    for number in ("7F2A9C01-0001", "12345678-0001", "ACME-0012"):  # as Stripe gives them
        assert Named.model_validate({"product": "X1", "invoice": number}).invoice.id == number
    for wrong in ({"product": "two words"}, {"product": ""}, {"invoice": "2026-0001"}, {"invoice": "inv_"}):
        with pytest.raises(ValidationError):
            Named.model_validate({"product": "X1", "invoice": "inv_1", **wrong})
