"""Events as Stripe sends them, signed. Source: https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import hmac
import itertools
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

SECRET = "whsec_deskclerk"
_count = itertools.count(1)


def event(type: str, found: dict[str, Any], *, event_id: str | None = None) -> bytes:
    """The body of an event about an object."""
    fields = {
        "id": event_id or f"evt_{next(_count)}",
        "object": "event",
        "type": type,
        "api_version": "2026-10-28.endive",
    }
    return orjson.dumps(fields | {"livemode": False, "data": {"object": found}})


def signed(body: bytes, at: datetime, *secrets: str) -> str:
    """The header `Stripe-Signature`; with several secrets a signature by each."""
    time = str(int(at.timestamp()))
    digests = [hmac.new(secret.encode(), f"{time}.".encode() + body, sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={time}", *(f"v1={digest}" for digest in digests)])
