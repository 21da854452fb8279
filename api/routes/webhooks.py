"""What other systems tell us by themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ValidationError

from api.problems import Problem, documented
from api.state import TheDb, TheSettings
from tools.context import utc_now
from tools.invoicing.stripe.signature import BadSignature, verify
from tools.invoicing.stripe.webhooks import Event, Heard, hear

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], responses=documented(503))


class Received(BaseModel):
    """`replayed`: it was told before, and changed nothing this time."""

    outcome: Heard


@router.post("/stripe", responses=documented(400, 404))
async def hear_stripe(
    request: Request,
    settings: TheSettings,
    db: TheDb,
    stripe_signature: Annotated[str, Header(description="Of the body, with STRIPE_WEBHOOK_SECRET.")] = "",
) -> Received:
    """An event of the Stripe account: what it says of our invoices and payments is kept."""
    secret = settings.stripe_webhook_secret
    if secret is None or not secret.get_secret_value():
        raise Problem(404, "webhook_not_configured", "STRIPE_WEBHOOK_SECRET is not set.")
    body = await request.body()
    try:
        verify(body, stripe_signature, secret.get_secret_value(), now=utc_now())
    except BadSignature as bad:
        raise Problem(400, "webhook_signature_invalid", str(bad)) from None
    try:
        event = Event.model_validate_json(body)
    except ValidationError:
        raise Problem(400, "webhook_malformed", "The body is not an event.") from None
    return Received(outcome=await hear(db, event))
