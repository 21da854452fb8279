"""ulid: 48 bits of time in milliseconds and 80 random bits, in Crockford's base 32; sorts by time.

Source: https://github.com/ulid/spec
"""

from __future__ import annotations

import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid() -> str:
    """A new identifier of 26 characters."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join([ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)])
