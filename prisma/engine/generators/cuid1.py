"""cuid, version 1: `c`, time, counter, fingerprint of the machine, randomness; sorts by time.

Source: https://github.com/paralleldrive/cuid
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import time

from prisma.engine.generators.base36 import base36

BLOCK = 36**4
_counter = itertools.count()


def cuid1() -> str:
    """A new identifier of 25 characters."""
    moment = base36(time.time_ns() // 1_000_000, 8)
    return f"c{moment}{base36(next(_counter) % BLOCK, 4)}{_fingerprint()}{base36(secrets.randbits(64), 8)}"


def _fingerprint() -> str:
    """Two digits for the process and two for the host. Not kept: a forked process has its own."""
    host = socket.gethostname()
    return base36(os.getpid(), 2) + base36(sum(map(ord, host)) + len(host) + 36, 2)
