"""A look-up that finds several leaves a choice to the person: what says which, and what does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent.grounding import Grounding
from tools.catalog.find_customer import FoundCustomers, find_customer
from tools.catalog.list_invoices import ListedInvoices, list_invoices
from tools.catalog.list_products import ListedProducts, list_products
from tools.customers import FoundCustomer
from tools.invoicing.card import InvoiceCard
from tools.money import Money
from tools.registry import catalog
from tools.values import Ref

DRAFT, PAY = catalog()["draft_invoice"], catalog()["take_payment"]


def customer(name: str) -> FoundCustomer:
    identifier = f"cus_{name.split()[-2].lower()}"
    return FoundCustomer(id=Ref(identifier), name=name, email=None, country="DE", active=True, match="similar")


def invoice(number: str, owner: str, total: str, due: str) -> InvoiceCard:
    money = Money.parse(total)
    return InvoiceCard.model_validate(
        {
            "id": f"inv_{number[-2:]}",
            "number": number,
            "status": "issued",
            "customer": f"cus_{owner.lower()}",
            "customer_name": f"{owner} GmbH",
            "order_number": None,
            "net": money,
            "tax": Money(0, "EUR"),
            "total": money,
            "outstanding": money,
            "due": due,
        }
    )


DUFFS = FoundCustomers(customers=[customer("Duff Beverages Ltd"), customer("Duff Cargo GmbH")])
OPEN = ListedInvoices(
    invoices=[
        invoice("INV-2026-0007", "Acme", "1285.20 EUR", "2026-12-21"),
        invoice("INV-2026-0009", "Acme", "38.08 EUR", "2026-11-30"),
        invoice("INV-2026-0011", "Globex", "46.29 EUR", "2026-12-21"),
    ],
    more=False,
)
WIDGETS = ListedProducts.model_validate(
    {
        "products": [
            {"id": "WID-1001", "name": "Widget, blue", "unit": "C62", "price": "32.00 EUR"},
            {"id": "WID-1002", "name": "Widget, red", "unit": "C62", "price": "32.00 EUR"},
            {"id": "WID-1101", "name": "Widget, blue (UK)", "unit": "C62", "price": "29.00 EUR"},
        ],
        "more": False,
    }
)


def heard(*said: str) -> Grounding:
    grounding = Grounding()
    for text in said:
        grounding.observe_user(text)
    grounding.observe_result(find_customer, DUFFS)
    grounding.observe_result(list_invoices, OPEN)
    grounding.observe_result(list_products, WIDGETS)
    return grounding


@pytest.mark.parametrize(
    ("said", "undecided"),
    [
        ("Draft an invoice for Duff.", True),
        ("Draft an invoice for Duff Cargo.", False),
        ("Bill the cargo people at Duff.", False),
        ("Bill cus_cargo.", False),
        ("Draft an invoice for Duff Beverages.", True),  # they said the other one
        ("Draft one for every Duff.", False),
        ("Bill the first Duff.", False),
    ],
)
def test_a_customer_of_two(said: str, undecided: bool):
    found = heard(said).undecided(DRAFT, {"customer": "cus_cargo", "lines": []})
    assert found == ({"customer"} if undecided else frozenset())


@pytest.mark.parametrize(
    ("said", "undecided"),
    [
        ("Collect Acme's open invoice.", True),
        ("Collect Acme's open invoice over 38.08.", False),
        ("Collect the invoice of Acme that is due on 30 November", False),  # 30 of 2026-11-30
        ("Take the payment of INV-2026-0009.", False),
        ("Take the payment of 0009.", False),
        ("Collect all that Acme owes.", False),
        ("Collect the open invoices.", False),
        ("Kassiere die älteste Rechnung von Acme.", False),
        ("Take the payment.", True),
    ],
)
def test_an_invoice_of_three(said: str, undecided: bool):
    for form in ("inv_09", "INV-2026-0009"):
        assert bool(heard(said).undecided(PAY, {"invoice": form})) is undecided


def test_the_only_one_of_whom_they_named_is_chosen():
    assert not heard("Collect Globex's open invoice.").undecided(PAY, {"invoice": "inv_11"})


@pytest.mark.parametrize(
    ("said", "product", "undecided"),
    [
        ("5 widgets", "WID-1001", True),
        ("5 blue widgets", "WID-1001", False),  # all that it is called, and not all that the British one is
        ("5 blue widgets", "WID-1101", True),
        ("5 blue widgets for the UK", "WID-1101", False),
        ("5 red ones", "WID-1002", False),
        ("5 WID-1002", "WID-1002", False),
    ],
)
def test_a_product_of_three(said: str, product: str, undecided: bool):
    arguments = {"customer": "cus_x", "lines": [{"product": product, "quantity": Decimal(5)}]}
    assert heard(said).undecided(DRAFT, arguments) == ({"lines[0].product"} if undecided else frozenset())


def test_an_answer_to_the_question_settles_it():
    grounding = heard("Draft an invoice for Duff.")
    arguments: dict[str, Any] = {"customer": "cus_cargo", "lines": []}
    for answer in ("The second.", "Cargo", "yes", "Ja, genau"):
        again = Grounding.load(grounding.dump())
        assert again.undecided(DRAFT, arguments)
        again.observe_user(answer)
        assert not again.undecided(DRAFT, arguments)


def test_what_was_made_here_is_no_choice_though_it_is_listed_among_others():
    grounding = Grounding()
    grounding.observe_user("Draft an invoice for Globex and issue it.")
    made = invoice("INV-2026-0011", "Globex", "46.29 EUR", "2026-12-21")
    grounding.observe_call(DRAFT, {"customer": "cus_globex", "lines": []})
    grounding.observe_result(DRAFT, made)
    grounding.observe_result(list_invoices, OPEN)
    assert not grounding.undecided(PAY, {"invoice": "inv_11"})
    assert grounding.undecided(PAY, {"invoice": "inv_09"})


def test_one_that_was_found_alone_is_no_choice():
    grounding = Grounding()
    grounding.observe_user("Draft an invoice for Duff.")
    grounding.observe_result(find_customer, FoundCustomers(customers=[customer("Duff Cargo GmbH")]))
    assert not grounding.undecided(DRAFT, {"customer": "cus_cargo", "lines": []})


def test_looking_it_up_again_alone_does_not_make_it_the_users_choice():
    grounding = heard("Draft an invoice for Duff.")
    grounding.observe_result(find_customer, FoundCustomers(customers=[customer("Duff Cargo GmbH")]))
    assert grounding.undecided(DRAFT, {"customer": "cus_cargo", "lines": []})


def test_what_is_remembered_is_bounded():
    grounding = heard("Draft an invoice for Duff.")
    many = [customer(f"Duff Nr{number} Ltd") for number in range(500)]
    for _ in range(20):
        grounding.observe_result(find_customer, FoundCustomers(customers=many))
    assert [len(things) for things in grounding.dump()["choices"]] == [50] * 4
