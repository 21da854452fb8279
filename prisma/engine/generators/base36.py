"""Numbers in base 36, as both kinds of cuid write them."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in DIGITS for low in DIGITS]


def base36(number: int, width: int) -> str:
    """The last `width` digits of a number that is not negative, with leading zeros."""
    pairs: list[str] = []
    for _ in range((width + 1) // 2):
        number, rest = divmod(number, 36 * 36)
        pairs.append(_PAIRS[rest])
    return "".join(reversed(pairs))[-width:]
