"""An answer holds no address of a page or a mailbox that nothing in the conversation holds.

An address that a model makes up is wrong, or it carries what the model has read to whoever owns it: a picture's address
is fetched by the reader's browser. So an address passes only as a whole, as the person, a record, a document or a page
wrote it, or cut to its host. What stands before `//` or `@` may have left when the rest turns out to be unknown: by
itself it leads nowhere.
"""

from __future__ import annotations

import re

from agent.following import beginning, follow
from agent.guarding import GuardContext, Look, OutputGuard

_STOP = r"\s<>\"'`|\\"  # ends an address; a backslash does in JSON
_PAGE = rf"//[^{_STOP}]+|(?<![\w.@/-])[Ww][Ww][Ww]\.[^{_STOP}]+|(?<=[(])[Dd][Aa][Tt][Aa]:[^{_STOP}]+"
_HOST = r"@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_WHOLE = re.compile(rf"(?P<page>{_PAGE})|(?P<box>@[A-Za-z0-9.-]+)")
_MAILBOX = re.compile(rf"[A-Za-z0-9._%+-]+{_HOST}")
_LOCAL = re.compile(r"[A-Za-z0-9._%+-]+\Z")
_UNKNOWN = "which nothing in this conversation holds."
_AFTER = ".,;:!?*_)]}/"  # belongs to the sentence, not to the address


def find_pages(text: str) -> frozenset[str]:
    """Addresses in `text` from `//` on, each also cut to its host."""
    found = {_plain(match[0]) for match in re.finditer(_PAGE, text)}
    return frozenset(found | {_host(page) for page in found})


def find_mailboxes(text: str) -> frozenset[str]:
    """The e-mail addresses in `text`, in lower case."""
    return frozenset(match[0].lower().rstrip(".-") for match in _MAILBOX.finditer(text))


def watch(context: GuardContext) -> Look:
    """Watches one answer for addresses that nothing known holds."""
    seen = context.seen

    def judge(match: re.Match[str]) -> str | None:
        whole, long = match.end() < len(match.string), len(match[0]) > context.look_ahead
        if not whole and not long:
            return None
        if match["page"] is not None:
            known = _is_known_page(match, seen.values(find_pages), whole=whole)
            return None if known else f"The answer holds the address of a page, {match[0][:80]!r}, {_UNKNOWN}"
        box = _mailbox(match)
        if box is None or box in seen.values(find_mailboxes) or seen.names("email", box):
            return None
        return f"The answer holds the e-mail address {box!r}, {_UNKNOWN}"

    return follow(
        wakes=r"[/@]|(?<![\w.@/-])[wW]|(?<=[(])[dD]",
        begins=rf"{_PAGE}|//?|@[A-Za-z0-9.-]*|(?<![\w.@/-])(?i:{beginning('www.')})|(?<=[(])(?i:{beginning('data:')})",
        value=_WHOLE,
        judge=judge,
    )


def _is_known_page(match: re.Match[str], known: frozenset[str], *, whole: bool) -> bool:
    """Whether something holds the address, or so far its beginning."""
    page = _plain(match[0])
    if match[0].startswith("//") and "." not in _host(page) and not match.string[: match.start()].endswith(":"):
        return True  # two slashes between words
    return page in known or (not whole and any(other.startswith(page) for other in known))


def _mailbox(match: re.Match[str]) -> str | None:
    """The e-mail address whose end is `match`; None where it is none."""
    local, host = _LOCAL.search(match.string, 0, match.start()), match[0].rstrip(".-")
    return (local[0] + host).lower() if local is not None and re.fullmatch(_HOST, host) else None


def _plain(address: str) -> str:
    """Without what a sentence puts after it; the host in lower case."""
    address = address.rstrip(_AFTER)
    host, slash, rest = address.removeprefix("//").partition("/")
    return f"//{host.lower()}{slash}{rest}"


def _host(page: str) -> str:
    return re.split(r"[/?#]", page[2:], maxsplit=1)[0].join(("//", ""))


guard = OutputGuard("addresses_have_an_origin", watch)
