"""An answer holds no key, token or password: not ours, and none that somebody left in a record or a document.

Recognised by the forms that providers give their keys, with their checksum where they have one (GitHub), else with the
entropy of what is random; by `password: ...`; and by the values of our own settings. What is long is recognised
by its first `LOOK_AHEAD` characters. A parameter of an address that the person, a record or a document of this
conversation holds whole (`?token=...`, a link to confirm something) is theirs to read. Source of the forms: the
providers' documentation of their tokens.
"""

from __future__ import annotations

import math
import re
import zlib
from base64 import urlsafe_b64decode
from collections import Counter
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits

from agent.following import beginning, beginnings, follow, starts
from agent.guarding import LOOK_AHEAD, GuardContext, Look, OutputGuard
from agent.guards.addresses_have_an_origin import find_pages
from agent.seen import Seen

SHORTEST = 8  # characters of a setting's value; a shorter one is found in any text
_REASON = "The answer holds {}."
_PREFIXES = {
    "AKIA": "an AWS access key", "ASIA": "an AWS access key",
    "sk_live_": "a Stripe key", "sk_test_": "a Stripe key", "rk_live_": "a Stripe key", "rk_test_": "a Stripe key",
    "whsec_": "a Stripe webhook secret",
    "ghp_": "a GitHub token", "gho_": "a GitHub token", "ghu_": "a GitHub token", "ghs_": "a GitHub token",
    "ghr_": "a GitHub token", "github_pat_": "a GitHub token", "glpat-": "a GitLab token",
    "xoxb-": "a Slack token", "xoxp-": "a Slack token", "xoxa-": "a Slack token", "xoxr-": "a Slack token",
    "xoxs-": "a Slack token", "xapp-": "a Slack token",
    "sk-": "an API key", "AIza": "a Google API key", "npm_": "an npm token", "eyJ": "a signed token",
}  # fmt: skip
_GITHUB = re.compile(r"gh[pousr]_[A-Za-z0-9]{36}")
_AWS = re.compile(r"A[KS]IA[A-Z2-7]{16}")
_BASE62 = digits + ascii_uppercase + ascii_lowercase
_RANDOM = 3.0  # bits a character of what was drawn at random; words and placeholders have fewer for their length
_LONG = 40  # characters from which a key is recognised before its end

_KEY = (
    rf"(?<![A-Za-z0-9_])(?P<key>(?P<prefix>{'|'.join(sorted(map(re.escape, _PREFIXES), key=len, reverse=True))})[\w-]+)"
)
_PEM = r"(?P<pem>-----BEGIN [A-Z ]{0,24}PRIVATE KEY)"
_NAME = r"(?i:pass(?:word|wort|phrase)|passwd|pwd|secret|token|api[ _-]?key|access[ _-]?key|client[ _-]?secret)"
_QUOTE = r"[\s\"'*`]{0,4}"
_NAMED = rf"(?:[:=]|(?<=\bis)\s)(?={_QUOTE}(?P<given>[^\s\"'`]{{8,}}))"  # takes nothing: it may be a key, too
_SAID = re.compile(rf"{_NAME}{_QUOTE}(?:is)?\s?\Z")


def watch(context: GuardContext) -> Look:
    """Watches one answer for secrets."""
    wakes, begins, value = _patterns(
        tuple(secret[:LOOK_AHEAD] for secret in context.secrets if len(secret) >= SHORTEST)
    )
    return follow(
        wakes=wakes,
        begins=begins,
        value=value,
        judge=lambda match: _judge(match, context.seen),
        waits=lambda match: match["named"] is None or _is_named(match),
    )


@lru_cache(maxsize=8)  # one for each configuration in this process: else they are made anew for every answer
def _patterns(own: tuple[str, ...]) -> tuple[str, str, re.Pattern[str]]:
    """What wakes the guard, what a secret can begin with, and a whole one; `own` are beginnings of our settings'."""
    whole = [rf"(?P<own>{'|'.join(map(re.escape, own))})"] if own else []
    begins = [
        rf"(?<![A-Za-z0-9_])(?:{beginnings(_PREFIXES)})",
        rf"(?<![A-Za-z0-9_])(?:{'|'.join(map(re.escape, _PREFIXES))})[\w-]*",
        beginning("-----BEGIN "), r"-----BEGIN [A-Z ]{0,40}-{0,5}",
        rf"(?P<named>(?:[:=]|(?<=\bis)\s){_QUOTE}[^\s\"'`]*)",
        *map(beginning, own),
    ]  # fmt: skip
    wakes = [rf"(?<![A-Za-z0-9_])(?:{starts(_PREFIXES)})", "[-:=]", r"(?<=\bis)\s", *([starts(own)] if own else [])]
    return "|".join(wakes), "|".join(begins), re.compile("|".join([*whole, _KEY, _PEM, _NAMED]))


def _judge(match: re.Match[str], seen: Seen) -> str | None:
    groups = match.groupdict()
    if groups.get("own"):
        return _REASON.format("a secret of this installation")
    if groups["pem"]:
        return _REASON.format("a private key")
    closed = match.end("given" if groups["given"] else 0) < len(match.string)
    if groups["given"]:
        given = groups["given"].rstrip(".,;:!?)*")
        whole = closed or len(given) >= _LONG
        drawn = whole and _is_named(match) and _is_drawn(given)
        return _REASON.format("a password or key") if drawn and not _is_of_a_known_address(match, seen) else None
    key, prefix = groups["key"], groups["prefix"]
    if not closed and len(key) < _LONG:
        return None
    return _REASON.format(_PREFIXES[prefix]) if _is_key(key, prefix) else None


def _is_named(match: re.Match[str]) -> bool:
    """What stands before it says that it is a secret."""
    return _SAID.search(match.string, max(match.start() - 24, 0), match.start()) is not None


def _is_of_a_known_address(match: re.Match[str], seen: Seen) -> bool:
    """Whether it is a part of an address that the conversation holds; one of a web page alone may be anybody's."""
    begun = match.string.rfind("//", 0, match.start())
    page = match.string[begun : match.end("given")] if begun >= 0 else ""
    longest = max(find_pages(page), key=len, default="") if not re.search(r"\s", page) else ""
    return bool(longest) and any(known.startswith(longest) for known in seen.values(find_pages, but=("web",)))


def _is_key(key: str, prefix: str) -> bool:
    rest = key[len(prefix) :]
    if _GITHUB.fullmatch(key):
        return _checksum(key[4:34]) == key[34:]
    if prefix in ("AKIA", "ASIA"):
        return _AWS.fullmatch(key) is not None and _entropy(rest) > 2.5
    if prefix == "eyJ":
        return _is_token_header(key)
    return len(rest) >= 16 and _entropy(rest) >= _RANDOM and any(map(str.isdigit, rest))


def _is_token_header(key: str) -> bool:
    """Whether it begins as the JSON object does that begins a JSON Web Token (RFC 7515, appendix A)."""
    begun = key[: len(key) // 4 * 4][:LOOK_AHEAD]
    try:
        return len(begun) >= 16 and re.match(rb'\{\s?"[a-z0-9]{2,4}"\s?:', urlsafe_b64decode(begun)) is not None
    except ValueError:
        return False


def _checksum(random: str) -> str:
    """CRC-32 of a GitHub token's random part in base 62. Source: GitHub's description of its token format (2021)."""
    number, text = zlib.crc32(random.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return text.rjust(6, "0")


def _is_drawn(text: str) -> bool:
    """Letters and digits mixed as no word mixes them."""
    kinds = sum((any(map(str.islower, text)), any(map(str.isupper, text)), any(map(str.isdigit, text))))
    return kinds >= 2 and any(map(str.isdigit, text)) and any(map(str.isalpha, text)) and _entropy(text) >= 2.75


def _entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


guard = OutputGuard("secrets_stay_inside", watch)
