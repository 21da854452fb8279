"""nanoid: URL-safe characters from the operating system's randomness.

Source: https://github.com/ai/nanoid
"""

from __future__ import annotations

import os

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
DEFAULT_LENGTH = 21


def nanoid(length: int = DEFAULT_LENGTH) -> str:
    """A new identifier; each character carries 6 bits."""
    return "".join([ALPHABET[byte & 63] for byte in os.urandom(length)])
