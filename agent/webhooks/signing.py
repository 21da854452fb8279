"""Signatures of Standard Webhooks. Source: https://github.com/standard-webhooks/standard-webhooks"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a key


def parse_secrets(text: str) -> list[bytes]:
    """The keys of `whsec_...`, or of several, separated by spaces: the new one and those it replaces.

    Raises:
        ValueError: Says what is wrong, without the secret.
    """
    return [_parse(one) for one in text.split()]


def _parse(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"after {PREFIX} a secret is base64") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a secret has {SHORTEST} to {LONGEST} bytes, and this one has {len(key)}")
    return key


def signature(keys: Sequence[bytes], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a key.

    Args:
        timestamp: Of this attempt, in seconds since 1970.
    """
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signed = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signed)
