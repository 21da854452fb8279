"""Invoices and payments: in our own ledger, or at a provider."""

from tools.invoicing.base import Draft, DraftLine, Invoices
from tools.invoicing.ledger import Ledger

__all__ = ["Draft", "DraftLine", "Invoices", "Ledger"]
