"""A payment intent's status, as far as it matters to us. Source: https://docs.stripe.com/payments/paymentintents/lifecycle"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.invoicing.stripe.client import Json

_UNDER_WAY = frozenset(("processing", "requires_action", "requires_capture"))


@dataclass(frozen=True, slots=True)
class Taken:
    """Money that moved, or that will when the customer or the bank has acted; `intent` is the payment intent's id."""

    state: Literal["succeeded", "pending"]
    intent: str | None


def taken_by(intent: Json) -> Taken | None:
    """None where it moves no money, as it stands: it was declined, cancelled, or never confirmed."""
    status, intent_id = intent.get("status"), str(intent["id"])
    if status == "succeeded":
        return Taken("succeeded", intent_id)
    return Taken("pending", intent_id) if status in _UNDER_WAY else None
