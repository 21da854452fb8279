"""Worked examples: what a small model learns the work from.

Each shows a result followed by the next call or by the answer; without one, the model repeats calls that take money.
Their identifiers hold a zero first (`cus_0a`), and real ones never come from here: known values are observed, not read
off the prompt. An example is shown only to who may use every tool in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Did:
    """A call and the content of its result."""

    tool: str
    arguments: dict[str, Any]
    result: str


@dataclass(frozen=True, slots=True)
class Example:
    """One request, the calls it took, and the answer."""

    request: str
    calls: tuple[Did, ...]
    answer: str

    @property
    def tools(self) -> frozenset[str]:
        return frozenset(call.tool for call in self.calls)


_FIND = Did("find_customer", {"query": "Ex Ltd"}, '{"customers":[{"id":"cus_0a","name":"Ex Ltd"}]}')


def _order(document: str, number: str) -> str:
    return f'<untrusted origin="document({document})">{{"order":{{"number":"{number}","buyer":"Ex Ltd"}}}}</untrusted>'


def _checked(document: str, number: str, rest: str) -> str:
    return (
        f'<untrusted origin="document({document})">{{"order_number":"{number}","customer_name":"Ex Ltd",'
        f'"total":"20.00 EUR",{rest}}}</untrusted>'
    )


EXAMPLES: tuple[Example, ...] = (
    Example(
        "What is the tax id of Ex Ltd?",
        (_FIND, Did("get_customer", {"customer": "cus_0a"}, '{"name":"Ex Ltd","tax_id":"GB01"}')),
        "It is GB01.",
    ),
    Example(
        "Draft an invoice for Ex Ltd: 4 red pens and 2 PAD-0001.",
        (
            _FIND,
            Did("list_products", {"query": "red pen"}, '{"products":[{"id":"PEN-0001","name":"Red pen"}]}'),
            Did(
                "draft_invoice",
                {
                    "customer": "cus_0a",
                    "lines": [{"product": "PEN-0001", "quantity": 4}, {"product": "PAD-0001", "quantity": 2}],
                },
                '{"id":"inv_0b","status":"draft","total":"8.00 EUR"}',
            ),
        ),
        "I drafted inv_0b over 8.00 EUR.",
    ),
    Example(
        "Bill Ex Ltd for 3 pens, PEN-0001, and issue it.",
        (
            _FIND,
            Did(
                "draft_invoice",
                {"customer": "cus_0a", "lines": [{"product": "PEN-0001", "quantity": 3}]},
                '{"id":"inv_0c","status":"draft","total":"3.00 EUR"}',
            ),
            Did("issue_invoice", {"invoice": "inv_0c"}, '{"number":"INV-2000-0008","status":"issued"}'),
        ),
        "I issued INV-2000-0008 over 3.00 EUR.",
    ),
    Example(
        "Check this order, invoice it and take the payment.\n[attached: doc_0a, po.pdf]",
        (
            Did("read_document", {"document": "doc_0a"}, _order("doc_0a", "X-1")),
            _FIND,
            Did(
                "check_purchase_order",
                {"document": "doc_0a", "customer": "cus_0a"},
                _checked("doc_0a", "X-1", '"blocking":false'),
            ),
            Did("draft_invoice", {"customer": "cus_0a", "order": "doc_0a"}, '{"id":"inv_0a","status":"draft"}'),
            Did("issue_invoice", {"invoice": "inv_0a"}, '{"number":"INV-2000-0001","status":"issued"}'),
            Did("take_payment", {"invoice": "inv_0a"}, '{"id":"pay_0a","amount":"20.00 EUR"}'),
        ),
        "Order X-1 is fine. I issued invoice INV-2000-0001 and took its payment of 20.00 EUR.",
    ),
    Example(
        "Is this order all right?\n[attached: doc_0b, po.txt]",
        (
            Did("read_document", {"document": "doc_0b"}, _order("doc_0b", "X-2")),
            _FIND,
            Did(
                "check_purchase_order",
                {"document": "doc_0b", "customer": "cus_0a"},
                _checked(
                    "doc_0b", "X-2", '"blocking":true,"findings":[{"message":"price 5.00 EUR, ours is 7.00 EUR"}]'
                ),
            ),
        ),
        "No: the price in order X-2 is 5.00 EUR, ours is 7.00 EUR. I did not invoice it.",
    ),
    Example(
        "Which invoices are unpaid?",
        (Did("list_invoices", {"status": "issued"}, '{"invoices":[]}'),),
        "None, all are paid.",
    ),
    Example(
        "When is INV-2000-0002 due?",
        (Did("list_invoices", {"invoice": "INV-2000-0002"}, '{"invoices":[{"due":"2000-03-01"}]}'),),
        "It is due on 2000-03-01.",
    ),
    Example(
        "Which drafts are there?",
        (
            Did(
                "list_invoices",
                {"status": "draft"},
                '{"invoices":[{"id":"inv_0g","customer_name":"Ex Ltd","total":"4.00 EUR"},'
                '{"id":"inv_0h","customer_name":"Ex Trading","total":"9.00 EUR"}]}',
            ),
        ),
        "Two: inv_0g for Ex Ltd over 4.00 EUR and inv_0h for Ex Trading over 9.00 EUR.",
    ),
    Example(
        "Take the payment for INV-2000-0005.",
        (Did("take_payment", {"invoice": "INV-2000-0005"}, '{"id":"pay_0b","amount":"5.00 EUR"}'),),
        "I took the payment of 5.00 EUR on INV-2000-0005.",
    ),
    Example("Hi, what can you do?", (), "I look up customers, products and invoices, check orders and write invoices."),
    Example("Send an invoice.", (), "To which customer, and for which products and quantities?"),
    Example(
        "Bill Ex Ltd for 4 pads.",
        (
            _FIND,
            Did(
                "list_products",
                {"query": "pad"},
                '{"products":[{"id":"PAD-0001","name":"Pad, plain"},{"id":"PAD-0002","name":"Pad, lined"}]}',
            ),
            Did(
                "draft_invoice",
                {"customer": "cus_0a", "lines": [{"product": "PAD-0001", "quantity": 4}]},
                "Refused, and asking again will not help: Several fit. Ask which one.",
            ),
        ),
        "Which pads do you mean: plain or lined?",
    ),
    Example("Delete INV-2000-0003.", (), "I have no way to delete an invoice. Nothing was changed."),
    Example(
        "Issue invoice inv_0f.",
        (Did("issue_invoice", {"invoice": "inv_0f"}, '{"number":"INV-2000-0004","status":"issued"}'),),
        "I issued INV-2000-0004.",
    ),
    Example(
        "Issue the draft of Ex Ltd.",
        (
            _FIND,
            Did("list_invoices", {"customer": "cus_0a", "status": "draft"}, '{"invoices":[{"id":"inv_0d"}]}'),
            Did("issue_invoice", {"invoice": "inv_0d"}, '{"number":"INV-2000-0009","status":"issued"}'),
        ),
        "I issued INV-2000-0009.",
    ),
    Example(
        "Collect what Ex Ltd has not paid.",
        (
            _FIND,
            Did("list_invoices", {"customer": "cus_0a", "status": "issued"}, '{"invoices":[{"id":"inv_0e"}]}'),
            Did("take_payment", {"invoice": "inv_0e"}, "A person said no: wait until Monday"),
        ),
        "Nothing was taken: a person said no, wait until Monday.",
    ),
    Example(
        "Take the payment of Ex Ltd.",
        (
            _FIND,
            Did(
                "list_invoices",
                {"customer": "cus_0a", "status": "issued"},
                '{"invoices":[{"number":"INV-2000-0006","outstanding":"4.00 EUR"},'
                '{"number":"INV-2000-0007","outstanding":"9.00 EUR"}]}',
            ),
        ),
        "Which invoice: INV-2000-0006 over 4.00 EUR or INV-2000-0007 over 9.00 EUR?",
    ),
)
