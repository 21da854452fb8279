from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace

import pytest

from prisma import Prisma
from tests.support.tool_calls import Upload, call
from tests.support.ubl_orders import PLAIN
from tools import stored
from tools.catalog.read_document import MAX_SHOWN, DocumentContent
from tools.context import ToolContext
from tools.documents import ReadDocument, read_order
from tools.documents.errors import WrongDocumentType
from tools.errors import NotFound


async def test_an_order_is_shown_to_a_model_in_few_words_and_without_its_text(ctx: ToolContext, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    content = await call("read_document", ctx, document=document.id)
    assert content.for_model().model_dump(mode="json", exclude_none=True) == {
        "document": document.id,
        "name": "acme-po-7001.pdf",
        "order": {
            "number": "PO-7001",
            "date": "2026-11-18",
            "buyer": "ACME GmbH",
            "buyer_email": "purchasing@acme.example",
            "buyer_tax_id": "DE811907980",
            "currency": "EUR",
            "lines": [
                {
                    "sku": "WID-1001", "name": "Widget, blue", "quantity": "10 C62", "price": "32.00 EUR",
                    "amount": "320.00 EUR",
                },
                {
                    "sku": "GAD-2002", "name": "Gadget Pro", "quantity": "2 C62", "price": "149.00 EUR",
                    "amount": "298.00 EUR",
                },
                {
                    "sku": "SRV-9001", "name": "Installation", "quantity": "3 HUR", "price": "85.00 EUR",
                    "amount": "255.00 EUR",
                },
            ],
            "more_lines": 0,
            "total": "1038.87 EUR",
            "allowances": [],
            "references": [],
        },
        "notes": [],
    }  # fmt: skip


async def test_who_watches_gets_the_whole_order_without_what_it_does_not_state(ctx: ToolContext, upload: Upload):
    document = await upload("oscorp-om-5512.xml")
    content = await call("read_document", ctx, document=document.id)
    stated = content.model_dump(mode="json")["order"]
    assert (stated["buyer"]["name"], stated["seller"]["name"], stated["currency"]) == (
        "Oscorp Medical",
        "Demo company",
        "EUR",
    )
    assert stated["totals"]["payable"] == "1056.72"
    assert stated["lines"][0]["item"]["seller_id"] == "GAD-2001"
    assert "sales_number" not in stated
    assert DocumentContent.model_validate_json(content.model_dump_json()) == content


async def test_a_long_order_stays_short_for_the_model(ctx: ToolContext, upload: Upload):
    lines = "".join(PLAIN.line(str(number), "10", "32.00", "320.00") for number in range(1, 601))
    document = await upload("big.xml", PLAIN.document(PLAIN.b("ID", "PO-1") + lines))
    content = await call("read_document", ctx, document=document.id)
    shown = content.for_model()
    assert (len(content.order.lines), content.more_lines) == (500, 100)
    assert (len(shown.order.lines), shown.order.more_lines) == (12, 588)
    assert len(json.dumps(shown.model_dump(mode="json", exclude_none=True))) < 2500


async def test_a_model_is_shown_what_an_order_adds_takes_off_and_refers_to(ctx: ToolContext, upload: Upload):
    parts = PLAIN.a("Contract", PLAIN.b("ID", "C-9")) + PLAIN.a(
        "AllowanceCharge",
        PLAIN.b("ChargeIndicator", "true")
        + PLAIN.b("AllowanceChargeReason", "Freight")
        + PLAIN.b("Amount", "12.50", currencyID="EUR"),
    )
    document = await upload("po.xml", PLAIN.document(PLAIN.b("ID", "PO-1") + parts))
    shown = (await call("read_document", ctx, document=document.id)).for_model()
    assert shown.order.allowances == ["charge of 12.50 EUR (Freight)"]
    assert shown.order.references == ["contract C-9"]


async def test_other_text_is_shown_up_to_a_limit_that_is_said(ctx: ToolContext, upload: Upload):
    document = await upload("notes.txt", b"word " * 2000)
    content = await call("read_document", ctx, document=document.id)
    assert content.order is None
    assert len(content.text) == MAX_SHOWN
    assert content.notes == ["Only the first 3000 of 10000 characters are shown."]


async def test_an_order_whose_lines_are_unreadable_is_shown_with_its_text(ctx: ToolContext, upload: Upload):
    document = await upload("po.txt", b"Purchase order PO-9\nsome of the blue things please")
    content = await call("read_document", ctx, document=document.id)
    assert content.text.startswith("Purchase order PO-9")
    assert "No order lines were found." in content.notes


async def test_a_check_says_who_what_and_whether_it_blocks(ctx: ToolContext, upload: Upload):
    document = await upload("price-differs.eml")
    checked = await call("check_purchase_order", ctx, document=document.id, customer="cus_tyrell")
    assert checked.model_dump(mode="json") == {
        "document": document.id,
        "order_number": "TY-3315",
        "customer": "cus_tyrell",
        "customer_name": "Tyrell Robotics Oy",
        "total": "1148.35 EUR",
        "blocking": True,
        "findings": [
            {
                "code": "price_differs",
                "severity": "blocking",
                "message": "Line 1 (GAD-2002): the order says 129.00 EUR, the catalogue 149.00 EUR each.",
            }
        ],
        "more_findings": 0,
    }


async def test_a_check_changes_nothing(ctx: ToolContext, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    await call("check_purchase_order", ctx, document=document.id, customer="cus_acme")
    assert await ctx.db.purchaseorder.count(where={"document_id": document.id}) == 0


@pytest.mark.parametrize("name", ["read_document", "check_purchase_order"])
async def test_an_unknown_document_tells_what_to_do_next(name: str, ctx: ToolContext):
    arguments = {"customer": "cus_acme"} if name == "check_purchase_order" else {}
    with pytest.raises(NotFound, match=r"No document 'doc_9'\. Ask the user to attach it\."):
        await call(name, ctx, document="doc_9", **arguments)


async def test_another_tenants_document_is_not_there(ctx: ToolContext, upload: Upload):
    document = await upload("acme-po-7001.pdf")
    await ctx.db.tenant.create(data={"id": "other", "name": "Other"})
    await ctx.db.document.update(where={"id": document.id}, data={"tenant": {"connect": {"id": "other"}}})
    with pytest.raises(NotFound):
        await call("read_document", ctx, document=document.id)


async def test_a_document_without_an_order_cannot_be_checked_or_invoiced(ctx: ToolContext, upload: Upload):
    document = await upload("hooli-request.txt")
    with pytest.raises(WrongDocumentType, match="no purchase order is found in it"):
        await call("check_purchase_order", ctx, document=document.id, customer="cus_hooli")
    with pytest.raises(WrongDocumentType):
        await call("draft_invoice", ctx, customer="cus_hooli", order=document.id)


async def test_a_document_is_read_once_for_several_tools_but_never_stale(
    ctx: ToolContext, upload: Upload, monkeypatch: pytest.MonkeyPatch
):
    reads: list[str] = []

    async def counted(name: str, media_type: str, data: bytes) -> ReadDocument:
        reads.append(name)
        return await read_order(name, media_type, data)

    monkeypatch.setattr(stored, "read_order", counted)
    monkeypatch.setattr(stored, "_kept", OrderedDict[object, object]())
    first, other = await upload("a.xml", PLAIN.order("PO-1")), await upload("a.xml", PLAIN.order("PO-2"))
    for _ in range(2):
        assert (await call("read_document", ctx, document=first.id)).order.number == "PO-1"
        assert (await call("read_document", ctx, document=other.id)).order.number == "PO-2"
    await call("check_purchase_order", ctx, document=first.id, customer="cus_acme")
    assert reads == ["a.xml", "a.xml"]
    for number in range(stored.MAX_KEPT):
        await call("read_document", ctx, document=(await upload(f"n{number}.txt", b"note")).id)
    await call("read_document", ctx, document=first.id)
    assert len(reads) == 2 + stored.MAX_KEPT + 1


async def test_a_document_of_somebody_else_is_not_there_whatever_the_model_asks_for(ctx: ToolContext, db: Prisma):
    ann, bob = [await db.user.create(data={"tenant_id": ctx.tenant_id, "name": name}) for name in ("ann", "bob")]

    async def document(*, shared: bool) -> str:
        row = await stored.store_document(
            db, ctx.tenant_id, name="a.txt", media_type="text/plain", content=b"Hello.", user_id=ann.id, shared=shared
        )
        return row.id

    private, shared = await document(shared=False), await document(shared=True)
    of_bob = replace(ctx, user_id=bob.id)
    for tool, rest in [("read_document", {}), ("check_purchase_order", {"customer": "cus_acme"})]:
        with pytest.raises(NotFound, match=f"No document '{private}'"):
            await call(tool, of_bob, document=private, **rest)
    assert (await call("read_document", of_bob, document=shared)).model_dump()["text"] == "Hello."
    assert (await call("read_document", replace(ctx, user_id=ann.id), document=private)).model_dump()[
        "text"
    ] == "Hello."
