"""uuid, version 7: 48 bits of time in milliseconds, then a counter and randomness; sorts by time.

Source: RFC 9562, section 5.7; the counter is its method 2 (a random start that grows within a millisecond).
"""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0  # milliseconds << 74 | 74 bits of counter and randomness


def uuid7() -> uuid.UUID:
    """A new identifier, greater than every one before it in this process."""
    global _last  # noqa: PLW0603 - the order within the process is what the counter is for
    moment = time.time_ns() // 1_000_000
    with _lock:
        fresh = moment << 74 | int.from_bytes(os.urandom(10), "big") >> 7
        _last = fresh if fresh >> 74 > _last >> 74 else _last + 1 + (int.from_bytes(os.urandom(4), "big") >> 1)
        value = _last
    time_part, tail = value >> 74, value & ((1 << 74) - 1)
    return uuid.UUID(int=time_part << 80 | 7 << 76 | (tail >> 62) << 64 | 2 << 62 | tail & ((1 << 62) - 1))
