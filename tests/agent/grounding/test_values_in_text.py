from __future__ import annotations

import pytest

from agent.grounding.text import MAX_SCANNED, canonical, find

COMPANY = ("EUR", "USD")


def found(text: str, kind: str) -> list[str]:
    return [value for at, value in find(text, COMPANY) if at == kind]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("take EUR 320 now", "320.00 EUR"),
        ("that is €320.00", "320.00 EUR"),
        ("320 euros, please", "320.00 EUR"),
        ("320,50 €", "320.50 EUR"),
        ("a total of 1,250.50 USD.", "1250.50 USD"),
        ("1.250,50 EUR", "1250.50 EUR"),
        ("CHF 1'250.00", "1250.00 CHF"),
        ("$1,250", "1250.00 USD"),
        ("1.250 EUR", "1250.00 EUR"),
        ("1.250 KWD", "1.250 KWD"),
        ("12,345,678.90 USD", "12345678.90 USD"),
        ("¥5000", "5000 JPY"),
        ("(20 GBP)", "20.00 GBP"),
        ("20 pounds", "20.00 GBP"),
        ("eur 99.9", "99.90 EUR"),
    ],
)
def test_an_amount_is_found_in_the_ways_people_write_it(text: str, amount: str):
    assert found(text, "money") == [amount]


def test_an_amount_without_a_currency_may_be_in_any_of_the_company():
    assert found("charge 320.00 to them", "money") == ["320.00 EUR", "320.00 USD"]


@pytest.mark.parametrize(
    "text", ["2 x PC-1001", "on 12.11.2026", "19 %", "19.00%", "320 PCS", "version 2.10.3", "INV-2026-0001"]
)
def test_what_is_no_amount_is_not_taken_for_one(text: str):
    assert found(text, "money") == []


def test_identifiers_are_found_by_their_type():
    text = "cus_acme (ops@Acme.example) wants 2 x PC-1001 of doc_k3f9, see INV-2026-0001 and inv_k3f9."
    assert found(text, "ref:customer") == ["cus_acme"]
    assert found(text, "ref:product") == ["PC-1001"]
    assert found(text, "ref:document") == ["doc_k3f9"]
    assert found(text, "ref:invoice") == ["INV-2026-0001", "inv_k3f9"]
    assert found(text, "email") == ["ops@acme.example"]


def test_a_part_of_a_longer_word_is_not_an_identifier():
    assert list(find("xcus_acme cus_acme-2 my_inv_k3 PC-1001-B", COMPANY)) == []


@pytest.mark.parametrize(
    "text", ["June 13", "13th of nothing", "13 June", "2026-06-13", "13.06.2026", "id-13", "INV-2026-0013"]
)
def test_a_number_within_a_date_or_an_identifier_is_not_that_number(text: str):
    assert "13" not in found(text, "number")


def test_a_number_that_stands_alone_is_known():
    assert found("3 desks and 2.5 hours, then 13.", "number") == ["3", "2.5", "13"]


def test_only_the_beginning_of_a_huge_text_is_read():
    assert found("x " * MAX_SCANNED + "cus_acme", "ref:customer") == []


def test_money_and_addresses_are_compared_in_one_form():
    assert canonical("money", "320 EUR") == "320.00 EUR"
    assert canonical("money", "320 euros") == "320 euros"
    assert canonical("email", "Ops@Acme.example") == "ops@acme.example"
    assert canonical("ref:product", "PC-1001") == "PC-1001"
