"""Webhooks as configured."""

from __future__ import annotations

from agent.deps import Services
from agent.webhooks.deliveries import Deliveries
from agent.webhooks.sender import Sender
from agent.webhooks.signing import parse_secrets


def create_deliveries(services: Services, *, replica_id: str) -> Deliveries:
    """Those of one process; without an address it writes none."""
    settings, sender = services.settings, None
    if settings.webhook_url:
        keys = parse_secrets(settings.webhook_secret.get_secret_value())
        sender = Sender(settings.webhook_url, keys, clock=services.clock)
    return Deliveries(services.db, services.engine, replica_id, services.clock, sender)
