"""Invoices and payments at Stripe, by its published API. How it works and why: docs/stripe.md, docs/adr/0004."""

from tools.invoicing.stripe.adapter import Stripe
from tools.invoicing.stripe.client import API_BASE, StripeClient

__all__ = ["API_BASE", "Stripe", "StripeClient"]
