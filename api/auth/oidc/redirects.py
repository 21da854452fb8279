"""Where people are sent when they have signed in: to a path of this server, and nowhere else."""

from __future__ import annotations

import re

LONGEST = 512  # characters
# What browsers take for the beginning of another host (`//`, `/\\`), and controls that they leave out while reading,
# are not in it; `%` is not either, so nothing can be decoded into them.
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/?=&+-]*")


def is_own_path(target: str) -> bool:
    """Whether a browser that is sent to `target` stays with this server."""
    return len(target) <= LONGEST and _PATH.fullmatch(target) is not None and "//" not in target
