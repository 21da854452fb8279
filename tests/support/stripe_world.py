"""What a Stripe account holds, and what its published API does to it: customers, invoices, items, payments.

Written from the API's reference, version 2026-10-28. It is no Stripe: taxes, discounts, balances, mails are not in it.
Source: https://docs.stripe.com/api
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Json = dict[str, Any]

METHODS = {
    "pm_card_visa": "succeeds",
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_authenticationRequired": "action",
    "pm_sepa_debit": "processing",
}
_META = {"metadata", "expand"}
# What each request may hold; anything else is refused, as Stripe does.
TAKEN: dict[str, set[str]] = {
    "customers": {"name", "email", "address", *_META},
    "invoices": {
        *("customer", "currency", "collection_method", "due_date", "auto_advance", "custom_fields", "description"),
        *("pending_invoice_items_behavior", "discounts", "days_until_due", *_META),
    },
    "invoiceitems": {"customer", "invoice", "amount", "currency", "description", "discountable", *_META},
    "payment_intents": {
        *("amount", "currency", "customer", "payment_method", "description", "automatic_payment_methods", *_META)
    },
    "finalize": {"auto_advance", "expand"},
    "pay": {"off_session", "payment_method", "paid_out_of_band", "expand"},
    "void": {"expand"},
    "attach_payment": {"payment_intent", "expand"},
    "confirm": {"off_session", "payment_method", "expand"},
    "cancel": {"cancellation_reason", "expand"},
}


class ApiError(Exception):
    """An error answer. `executed`: the endpoint began, so the answer is kept for the idempotency key."""

    def __init__(
        self, status: int, message: str, *, type: str = "invalid_request_error", executed: bool = True, **fields: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.body: Json = {"error": {"type": type, "message": message, **fields}}


def missing(kind: str, object_id: str) -> ApiError:
    return ApiError(404, f"No such {kind}: '{object_id}'", code="resource_missing", executed=False)


class World:
    """Attributes:
    effects: How often each thing happened, like `invoice.finalized`.
    method: Payment method that a new customer gets, one of `METHODS`.
    """

    def __init__(self, state: Json | None = None) -> None:
        state = state or {}
        self.objects: dict[str, Json] = state.get("objects", {})
        self.effects: Counter[str] = Counter(state.get("effects", {}))
        self.method: str | None = state.get("method", "pm_card_visa")
        self._next = itertools.count(state.get("next", 1))

    def dump(self) -> Json:
        number = next(self._next)
        self._next = itertools.count(number)
        return {"objects": self.objects, "effects": self.effects, "method": self.method, "next": number}

    # ------------------------------------------------------------ reading

    def all(self, kind: str) -> list[Json]:
        """Newest first."""
        return [each for each in reversed(self.objects.values()) if each["object"] == kind]

    def one(self, kind: str, object_id: str) -> Json:
        found = self.objects.get(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind, object_id)
        return found

    def shown(self, found: Json, expand: Iterable[str] = ()) -> Json:
        """As an answer holds it: an invoice's payments only where they are asked for."""
        paths = list(expand)
        if found["object"] != "invoice" or not any(path.startswith("payments") for path in paths):
            return found
        payments = [dict(each) for each in reversed(self.all("invoice_payment")) if each["invoice"] == found["id"]]
        if "payments.data.payment.payment_intent" in paths:
            for each in payments:
                intent = self.objects[each["payment"]["payment_intent"]]
                each["payment"] = {**each["payment"], "payment_intent": intent}
        return found | {"payments": {"object": "list", "data": payments, "has_more": False}}

    # ------------------------------------------------------------ customers and drafts

    def create_customer(self, data: Json) -> Json:
        settings = {"default_payment_method": self.method}
        self.effects["customer.created"] += 1
        return self._add("cus", "customer", **_plain(data, "name", "email", "metadata"), invoice_settings=settings)

    def create_invoice(self, data: Json) -> Json:
        self.one("customer", _required(data, "customer"))
        self.effects["invoice.created"] += 1
        return self._add(
            "in",
            "invoice",
            **_plain(data, "customer", "currency", "collection_method", "due_date", "metadata", "custom_fields"),
            status="draft",
            number=None,
            total=0,
            amount_due=0,
            amount_paid=0,
            amount_remaining=0,
            auto_advance=data.get("auto_advance") == "true",
            status_transitions={"finalized_at": None, "paid_at": None, "voided_at": None},
        )

    def create_invoiceitem(self, data: Json) -> Json:
        invoice = self.one("invoice", _required(data, "invoice"))
        amount, currency = int(_required(data, "amount")), _required(data, "currency")
        self._must_be(invoice, "draft")
        if currency != invoice["currency"] or data.get("customer") != invoice["customer"]:
            raise ApiError(400, "The currency or the customer is not the invoice's.")
        self.effects["invoiceitem.created"] += 1
        item = self._add(
            "ii",
            "invoiceitem",
            **_plain(data, "customer", "invoice", "currency", "description", "metadata"),
            amount=amount,
        )
        self._sum_up(invoice)
        return item

    def delete_invoice(self, invoice_id: str) -> Json:
        invoice = self.one("invoice", invoice_id)
        self._must_be(invoice, "draft")
        for each in [invoice, *(item for item in self.all("invoiceitem") if item["invoice"] == invoice_id)]:
            del self.objects[each["id"]]
        self.effects["invoice.deleted"] += 1
        return {"id": invoice_id, "object": "invoice", "deleted": True}

    # ------------------------------------------------------------ final invoices

    def finalize(self, invoice_id: str, _: Json) -> Json:
        invoice = self.one("invoice", invoice_id)
        self._must_be(invoice, "draft")
        self.effects["invoice.finalized"] += 1
        number = f"C{invoice['customer'][-7:]}-{self.effects['invoice.finalized']:04d}"
        invoice |= {"status": "open", "number": number, "amount_due": invoice["total"]}
        invoice["status_transitions"]["finalized_at"] = int(time.time())
        intent = self._intent(invoice["customer"], invoice["total"], invoice["currency"], {})
        self._attach(invoice, intent, default=True)
        return invoice

    def void(self, invoice_id: str, _: Json) -> Json:
        invoice = self.one("invoice", invoice_id)
        self._must_be(invoice, "open")
        self.effects["invoice.voided"] += 1
        invoice["status"] = "void"
        invoice["status_transitions"]["voided_at"] = int(time.time())
        return invoice

    def pay(self, invoice_id: str, data: Json) -> Json:
        invoice = self.one("invoice", invoice_id)
        if invoice["status"] == "paid":
            raise ApiError(400, "Invoice is already paid")
        self._must_be(invoice, "open")
        default = next(each for each in self._payments(invoice) if each["is_default"])
        intent = self.objects[default["payment"]["payment_intent"]]
        method = data.get("payment_method") or self._method_of(invoice["customer"])
        if method is None:
            raise ApiError(402, "The customer has no payment method.", type="card_error", code="missing")
        if METHODS[method] == "action":
            intent["status"] = "requires_action"
            raise ApiError(
                402, "This payment requires action.", type="card_error", code="invoice_payment_intent_requires_action"
            )
        self._charge(intent, method)
        return invoice

    def attach_payment(self, invoice_id: str, data: Json) -> Json:
        invoice = self.one("invoice", invoice_id)
        intent = self.one("payment_intent", _required(data, "payment_intent"))
        self._must_be(invoice, "open")
        if any(each["payment"]["payment_intent"] == intent["id"] for each in self._payments(invoice)):
            raise ApiError(400, "The payment is attached already.")
        if intent["amount"] > invoice["amount_remaining"]:
            raise ApiError(400, "The payment is more than what remains.")
        self.effects["payment.attached"] += 1
        self._attach(invoice, intent, default=False)
        return invoice

    # ------------------------------------------------------------ payment intents

    def create_payment_intent(self, data: Json) -> Json:
        amount = int(_required(data, "amount"))
        self.one("customer", _required(data, "customer"))
        self.effects["payment_intent.created"] += 1
        intent = self._intent(data["customer"], amount, _required(data, "currency"), data.get("metadata", {}))
        if data.get("payment_method"):
            intent |= {"payment_method": data["payment_method"], "status": "requires_confirmation"}
        return intent

    def confirm(self, intent_id: str, data: Json) -> Json:
        intent = self.one("payment_intent", intent_id)
        if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
            message = f"This PaymentIntent is {intent['status']}."
            raise ApiError(400, message, code="payment_intent_unexpected_state")
        method = data.get("payment_method") or intent["payment_method"]
        if method is None:
            raise ApiError(400, "It has no payment method.", code="payment_intent_unexpected_state")
        if METHODS[method] == "action":
            intent["status"] = "requires_payment_method"
            raise _declined("authentication_required", "authentication_required")
        self._charge(intent, method)
        return intent

    def cancel(self, intent_id: str, _: Json) -> Json:
        intent = self.one("payment_intent", intent_id)
        if intent["status"] in ("succeeded", "canceled"):
            raise ApiError(400, "It cannot be canceled.", code="payment_intent_unexpected_state")
        intent["status"] = "canceled"
        self.effects["payment_intent.canceled"] += 1
        for each in self.all("invoice_payment"):
            if each["payment"]["payment_intent"] == intent_id:
                each["status"] = "canceled"
        return intent

    def succeed(self, intent: Json) -> None:
        """The money moves: at once, or when the customer or the bank has acted."""
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        self.effects["payment.taken"] += 1
        self.effects["payment.amount"] += intent["amount"]
        for each in self.all("invoice_payment"):
            if each["payment"]["payment_intent"] == intent["id"] and each["status"] == "open":
                self._credit(each, intent)

    # ------------------------------------------------------------ inside

    def _add(self, prefix: str, kind: str, **fields: Any) -> Json:
        made: Json = {"id": f"{prefix}_{next(self._next):014d}", "object": kind, "created": int(time.time())} | fields
        made.setdefault("metadata", {})
        self.objects[made["id"]] = made
        return made

    def _intent(self, customer: str, amount: int, currency: str, metadata: Json) -> Json:
        fields = {"customer": customer, "amount": amount, "currency": currency, "metadata": metadata}
        return self._add(
            "pi",
            "payment_intent",
            **fields,
            amount_received=0,
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=None,
        )

    def _attach(self, invoice: Json, intent: Json, *, default: bool) -> None:
        payment = {"type": "payment_intent", "payment_intent": intent["id"]}
        made = self._add(
            "inpay",
            "invoice_payment",
            invoice=invoice["id"],
            is_default=default,
            status="open",
            amount_requested=intent["amount"],
            amount_paid=None,
            currency=intent["currency"],
            payment=payment,
        )
        if intent["status"] == "succeeded":
            self._credit(made, intent)

    def _credit(self, payment: Json, intent: Json) -> None:
        invoice = self.objects[payment["invoice"]]
        payment |= {"status": "paid", "amount_paid": intent["amount"]}
        invoice["amount_paid"] += intent["amount"]
        invoice["amount_remaining"] = max(0, invoice["total"] - invoice["amount_paid"])
        default = next(each for each in self._payments(invoice) if each["is_default"])
        if invoice["amount_remaining"] == 0:
            self.effects["invoice.paid"] += 1
            invoice["status"] = "paid"
            invoice["status_transitions"]["paid_at"] = int(time.time())
            if default["status"] == "open":
                default["status"] = "canceled"
        elif default["status"] == "open":
            default["amount_requested"] = invoice["amount_remaining"]
            self.objects[default["payment"]["payment_intent"]]["amount"] = invoice["amount_remaining"]

    def _charge(self, intent: Json, method: str) -> None:
        intent["payment_method"] = method
        what = METHODS[method]
        if what == "succeeds":
            self.succeed(intent)
        elif what == "processing":
            intent["status"] = "processing"
        else:
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"code": "card_declined", "decline_code": what}
            self.effects["payment.declined"] += 1
            raise _declined("card_declined", what)

    def _payments(self, invoice: Json) -> list[Json]:
        return [each for each in self.all("invoice_payment") if each["invoice"] == invoice["id"]]

    def _method_of(self, customer: str) -> str | None:
        return self.objects[customer]["invoice_settings"]["default_payment_method"]

    def _sum_up(self, invoice: Json) -> None:
        total = sum(item["amount"] for item in self.all("invoiceitem") if item["invoice"] == invoice["id"])
        invoice |= {"total": total, "amount_due": total, "amount_remaining": total}

    @staticmethod
    def _must_be(invoice: Json, status: str) -> None:
        if invoice["status"] != status:
            raise ApiError(400, f"The invoice is {invoice['status']}, not {status}.", code="invoice_not_editable")


def _declined(code: str, reason: str) -> ApiError:
    return ApiError(402, "Your card was declined.", type="card_error", code=code, decline_code=reason)


def _required(data: Json, name: str) -> str:
    if not data.get(name):
        raise ApiError(400, f"Missing required param: {name}.", param=name, executed=False)
    return data[name]


def _plain(data: Json, *names: str) -> Json:
    return {name: data[name] for name in names if name in data}


Operation = Callable[[World, str, Json], Json]

CREATES: dict[str, Callable[[World, Json], Json]] = {
    "customers": World.create_customer,
    "invoices": World.create_invoice,
    "invoiceitems": World.create_invoiceitem,
    "payment_intents": World.create_payment_intent,
}
ACTS: dict[tuple[str, str], Operation] = {
    ("invoices", "finalize"): World.finalize,
    ("invoices", "pay"): World.pay,
    ("invoices", "void"): World.void,
    ("invoices", "attach_payment"): World.attach_payment,
    ("payment_intents", "confirm"): World.confirm,
    ("payment_intents", "cancel"): World.cancel,
}
KINDS = {
    "customers": "customer",
    "invoices": "invoice",
    "invoiceitems": "invoiceitem",
    "payment_intents": "payment_intent",
    "invoice_payments": "invoice_payment",
}
