from __future__ import annotations

import pytest

from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.errors import NotFound


@pytest.mark.parametrize(
    "query",
    [
        "cus_acme",
        "ACME",
        "acme gmbh",
        "ACME G.m.b.H.",
        "purchasing@acme.example",
        "PURCHASING@acme.example",
        "DE811907980",
        "DE 811 907 980",
        "9930:DE811907980",
    ],
)
async def test_a_customer_is_found_by_whatever_names_it_alone(query: str, ctx: ToolContext):
    found = await call("find_customer", ctx, query=query)
    assert [(each.id.id, each.match) for each in found.customers] == [("cus_acme", "exact")]
    assert found.note is None


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("DE 811 907 980", "DE 811 907 980"),
        ("9930:DE811907980", "9930:DE811907980"),
        ("ACME", None),
        ("cus_acme", None),
    ],
)
async def test_a_customer_is_shown_with_the_number_that_it_was_found_by(
    query: str, number: str | None, ctx: ToolContext
):
    [found] = (await call("find_customer", ctx, query=query)).customers
    assert found.number == number


@pytest.mark.parametrize(
    ("query", "customer"),
    [("Globx", "cus_globex"), ("Umbrella", "cus_umbrella"), ("Wayne", "cus_wayne"), ("Tyrel Robotics", "cus_tyrell")],
)
async def test_a_similar_name_is_offered_as_no_more_than_that(query: str, customer: str, ctx: ToolContext):
    found = await call("find_customer", ctx, query=query)
    assert (found.customers[0].id.id, found.customers[0].match) == (customer, "similar")
    assert found.note == f"None is called exactly {query!r}; these are similar."


@pytest.mark.parametrize("query", ["Vandelay Imports", "DE811907981", "nobody@acme.example", "9930:DE811907981", "x"])
async def test_nobody_is_invented(query: str, ctx: ToolContext):
    found = await call("find_customer", ctx, query=query)
    assert found.customers == []
    assert query in found.note


async def test_a_name_without_its_legal_form_does_not_hide_the_longer_names_that_it_begins(ctx: ToolContext):
    await ctx.db.customer.update(data={"name": "Acme Tooling Ltd"}, where={"id": "cus_globex"})
    found = await call("find_customer", ctx, query="Acme")
    assert [(each.id.id, each.match) for each in found.customers] == [("cus_acme", "exact"), ("cus_globex", "similar")]
    assert found.note == "'Acme' may be any of these: ask the user which one."
    for query, only in (
        ("ACME GmbH", "cus_acme"),
        ("purchasing@acme.example", "cus_acme"),
        ("Acme Tooling", "cus_globex"),
    ):
        found = await call("find_customer", ctx, query=query)
        assert [each.id.id for each in found.customers] == [only]
        assert found.note is None


async def test_an_inactive_customer_is_shown_as_such(ctx: ToolContext):
    found = await call("find_customer", ctx, query="Wonka Dolciumi")
    assert [(each.id.id, each.active) for each in found.customers] == [("cus_wonka", False)]


async def test_another_tenants_customers_are_not_there(ctx: ToolContext):
    await ctx.db.tenant.create(data={"id": "other", "name": "Other"})
    await ctx.db.customer.create(
        data={
            "id": "cus_other",
            "tenant_id": "other",
            "name": "Vandelay Imports",
            "email": "a@vandelay.example",
            "country": "US",
            "currency": "USD",
            "credit_limit_minor": 0,
        }
    )
    assert (await call("find_customer", ctx, query="Vandelay Imports")).customers == []
    with pytest.raises(NotFound):
        await call("get_customer", ctx, customer="cus_other")


async def test_a_record_shows_limit_and_open_amount_as_people_write_them(ctx: ToolContext):
    record = await call("get_customer", ctx, customer="cus_umbrella")
    assert record.model_dump(mode="json") == {
        "id": "cus_umbrella",
        "name": "Umbrella Pharma SA",
        "email": "achats@umbrella.example",
        "tax_id": "FR40303265045",
        "endpoint": "9957:FR40303265045",
        "address": "18 rue de la Paix, 75002 Paris",
        "country": "FR",
        "currency": "EUR",
        "credit_limit": "8000.00 EUR",
        "open": "7120.96 EUR",
        "credit_left": "879.04 EUR",
        "active": True,
    }


async def test_an_unknown_customer_tells_what_to_do_next(ctx: ToolContext):
    with pytest.raises(NotFound, match=r"No customer 'cus_9'\. Look it up with find_customer\."):
        await call("get_customer", ctx, customer="cus_9")


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("WID-1001", ["WID-1001"]),
        ("standing desks", ["DES-3001", "DES-3101", "DES-3201"]),
        ("blue widget", ["WID-1001", "WID-1101", "WID-1201"]),
        ("4006381334013", ["GAD-2001"]),
        ("classic", []),
        ("spaceship", []),
        ("desk lamp, office chair", ["DES-3002", "DES-3003"]),
        ("the spaceship or the desk lamp; GAD-2001 and ", ["GAD-2001"]),
    ],
)
async def test_products_are_listed_by_words_number_or_gtin(query: str, skus: list[str], ctx: ToolContext):
    found = await call("list_products", ctx, query=query)
    assert [each.id.id for each in found.products] == skus


async def test_all_products_that_are_sold_are_listed_with_a_price_and_a_currency(ctx: ToolContext):
    found = await call("list_products", ctx)
    assert (len(found.products), found.more) == (20, 0)
    assert found.products[0].model_dump(mode="json") == {
        "id": "CAB-5001",
        "name": "Network cable",
        "unit": "MTR",
        "price": "1.15 EUR",
    }
