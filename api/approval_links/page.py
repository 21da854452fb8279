"""The page of a link: one call, where its arguments come from, and two buttons. Plain HTML, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import HTMLResponse

from api.approval_links.words import EFFECTS, is_doubtful, origin_words, rows

if TYPE_CHECKING:
    from prisma.client.models import Approval

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--warn:#b45309;--yes:#15803d;--no:#b91c1c}
*{box-sizing:border-box}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
main{max-width:42rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
p{margin:.25rem 0 1rem}
.facts{color:color-mix(in srgb,CanvasText 70%,Canvas)}
dl{margin:0 0 1.5rem;border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
dl>div{padding:.75rem 1rem;border-top:1px solid var(--line)}
dl>div:first-child{border-top:0}
dt{font-size:.85rem;color:color-mix(in srgb,CanvasText 70%,Canvas)}
dd{margin:0;overflow-wrap:anywhere}
.value{font-size:1.05rem;font-weight:600}
.doubt{background:color-mix(in srgb,var(--warn) 12%,Canvas)}
.doubt .origin{color:var(--warn);font-weight:600}
@media (prefers-color-scheme:dark){.doubt .origin{color:#fbbf24}}
label{display:block;margin-bottom:.25rem}
textarea{width:100%;min-height:4.5rem;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.5rem;
font:inherit;background:var(--soft);color:inherit}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem}
button{flex:1 1 10rem;min-height:3rem;padding:.6rem 1rem;border:2px solid transparent;border-radius:.5rem;
font:inherit;font-weight:600;color:#fff;cursor:pointer}
.yes{background:var(--yes)}.no{background:var(--no)}
button:focus-visible,textarea:focus-visible{outline:3px solid Highlight;outline-offset:2px}
.said{border:1px solid var(--line);border-left:.35rem solid;border-radius:.5rem;padding:.75rem 1rem}
.said.yes{background:none;border-left-color:var(--yes)}.said.no{background:none;border-left-color:var(--no)}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # the address is a secret; `no-referrer` would take the form's `Origin` as well
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
LONGEST_REASON = 2000  # characters

_OUTCOMES = {
    "approved": ("yes", "This was approved. The run goes on."),
    "rejected": ("no", "This was rejected. It will not be done."),
    "expired": ("no", "Nobody decided in time. It will not be done."),
    "void": ("no", "This is not asked any more: the run has ended."),
}


def approval_page(approval: Approval, *, form_key: str, now: datetime) -> HTMLResponse:
    """The call as it would run, and the form while it can be decided."""
    pending = approval.status == "pending" and approval.expires_at > now
    effect = EFFECTS[approval.effect.value]
    title = f"Approve {approval.tool}?" if pending else f"{approval.tool}"
    arguments = rows(cast("dict[str, Any]", approval.arguments), cast("dict[str, str]", approval.origins))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="facts">It {escape(effect)}. Asked on {approval.created_at:%Y-%m-%d %H:%M} UTC'
        + (f", to be decided until {approval.expires_at:%Y-%m-%d %H:%M} UTC.</p>" if pending else ".</p>"),
        _arguments(arguments),
        _form(form_key) if pending else _outcome(approval),
    ]
    return _page(title, parts)


def message_page(status: int, title: str, text: str) -> HTMLResponse:
    """A page that only says something."""
    return _page(title, [f"<h1>{escape(title)}</h1>", f"<p>{escape(text)}</p>"], status=status)


def _arguments(arguments: Iterable[tuple[str, str, str]]) -> str:
    shown = "".join(
        f"<div{' class=doubt' if is_doubtful(origin) else ''}><dt>{escape(path)}</dt>"
        f'<dd class="value">{escape(value)}</dd><dd class="origin">from {escape(origin_words(origin))}</dd></div>'
        for path, value, origin in arguments
    )
    return f"<dl>{shown}</dl>" if shown else "<p>It takes no arguments.</p>"


def _form(form_key: str) -> str:
    return (
        '<form method="post"><label for="reason">Reason, if you reject (optional)</label>'
        f'<textarea id="reason" name="reason" maxlength="{LONGEST_REASON}"></textarea>'
        f'<input type="hidden" name="form_key" value="{escape(form_key)}">'
        '<div class="buttons"><button class="yes" name="decision" value="approve">Approve</button>'
        '<button class="no" name="decision" value="reject">Reject</button></div></form>'
    )


def _outcome(approval: Approval) -> str:
    status = approval.status.value
    look, text = _OUTCOMES["expired" if status == "pending" else status]
    reason = f"<br>Reason: {escape(approval.reason)}" if approval.reason else ""
    return f'<p class="said {look}" role="status">{text}{reason}</p>'


def _page(title: str, parts: list[str], *, status: int = 200) -> HTMLResponse:
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} \u00b7 deskclerk</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )
    return HTMLResponse(body, status, HEADERS)
