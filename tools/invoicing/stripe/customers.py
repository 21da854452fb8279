"""Our customers at Stripe: made when one is first invoiced, and known by `Customer.external_id` from then on.

Source: https://docs.stripe.com/api/customers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import Conflict
from tools.invoicing.stripe.client import Json, StripeClient, inner
from tools.invoicing.stripe.effect import Effect

if TYPE_CHECKING:
    from prisma import Prisma
    from prisma.client import models

OURS = "deskclerk_customer"  # in a customer's metadata: our identifier of it


async def customer_at_stripe(client: StripeClient, db: Prisma, customer: models.Customer) -> str:
    """Stripe's identifier of the customer, who is made there if need be.

    The key follows from the customer, not from the call: two calls at once make one customer.

    Raises:
        StripeError: It could not be made, or nobody knows.
    """
    if customer.external_id is not None:
        return customer.external_id

    async def made() -> Json | None:
        async for each in client.every("/v1/customers", email=customer.email):
            if inner(each, "metadata").get(OURS) == customer.id:
                return each
        return None

    effect = Effect(client, f"{customer.tenant_id}:{customer.id}", again=True)
    data = {
        "name": customer.name,
        "email": customer.email,
        "address": {
            "line1": customer.street or None,
            "city": customer.city or None,
            "postal_code": customer.postal_code or None,
            "country": customer.country,
        },
        "metadata": {OURS: customer.id},
    }
    found = await effect.once("customer", "/v1/customers", data, done=made)
    external_id = str(found["id"])
    await db.customer.update_many(where={"id": customer.id, "external_id": None}, data={"external_id": external_id})
    return external_id


async def payment_method_of(client: StripeClient, external_id: str) -> str:
    """The payment method to charge when nobody is there to choose.

    Raises:
        StripeError: Stripe does not tell.
        Conflict: The customer has none.
    """
    customer = await client.get(f"/v1/customers/{external_id}")
    method = inner(customer, "invoice_settings").get("default_payment_method") or customer.get("default_source")
    if not method:
        raise Conflict("The customer has no stored payment method at Stripe; nothing was taken.")
    return str(method)
