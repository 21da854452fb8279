"""Whether a webhook is from Stripe, and of now. Source: https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

TOLERANCE = timedelta(seconds=300)  # that a signature's time may be off, either way
_MOST = 20  # signatures that are looked at
_LONGEST = 4096  # characters of a header


class BadSignature(Exception):
    """It is not signed with our secret, or not at this time."""


def verify(body: bytes, header: str, secret: str, *, now: datetime) -> None:
    """Check the `Stripe-Signature` of a request's raw body.

    While a secret is being changed Stripe signs with the old one and the new one: any `v1` that fits will do.

    Args:
        header: Like `t=1732527600,v1=5257a8...,v1=...`.

    Raises:
        BadSignature: The message says why; it may be shown to whoever asks.
    """
    if not secret:
        raise BadSignature("There is no secret to check it with.")
    times, signatures = _read(header)
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()):
        raise BadSignature("The Stripe-Signature header has no time.")
    if not signatures:
        raise BadSignature("The Stripe-Signature header has no v1 signature.")
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, sha256).hexdigest().encode()
    fits = [hmac.compare_digest(expected, each.encode()) for each in signatures[:_MOST]]  # all: in constant time
    if not any(fits):
        raise BadSignature("The signature is not of this body with our secret.")
    if abs(now.timestamp() - int(times[0])) > TOLERANCE.total_seconds():
        raise BadSignature(f"The signature is not of the last {TOLERANCE.total_seconds():.0f} seconds.")


def _read(header: str) -> tuple[list[str], list[str]]:
    """The times and the v1 signatures of a header."""
    pairs = [entry.strip().partition("=") for entry in header[:_LONGEST].split(",")]
    return [value for name, _, value in pairs if name == "t"], [value for name, _, value in pairs if name == "v1"]
