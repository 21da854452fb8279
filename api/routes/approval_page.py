"""The page behind a link to one approval. Looking never decides: chats and mail scanners fetch links by themselves."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from agent.errors import AgentError
from api.approval_links.links import ApprovalLinks, BadLink
from api.approval_links.page import HEADERS, LONGEST_REASON, approval_page, message_page
from api.approval_links.people import principal_of
from api.problems import status_of
from api.public_url import public_url
from api.state import TheAgent, TheDb, TheSettings

router = APIRouter(prefix="/approvals", include_in_schema=False)

_GONE = "This link is not valid, or its time is over. Ask for a new one where you got it."


@router.get("/{token}")
async def show_approval(token: str, db: TheDb) -> Response:
    """The call, where its arguments come from, and a form while it waits."""
    links = ApprovalLinks(db)
    try:
        opened = await links.open(token)
    except BadLink:
        return message_page(404, "No such approval", _GONE)
    return approval_page(opened.approval, form_key=await links.form_key(token), now=datetime.now(UTC))


@router.post("/{token}")
async def decide_by_link(
    *,
    token: str,
    request: Request,
    decision: Annotated[Literal["approve", "reject"], Form()],
    form_key: Annotated[str, Form(max_length=200)],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
    agent: TheAgent,
    db: TheDb,
    settings: TheSettings,
) -> Response:
    """Decide once, as the person whom the link was made for."""
    links = ApprovalLinks(db)
    try:
        opened = await links.open(token)
    except BadLink:
        return message_page(404, "No such approval", _GONE)
    expected = await links.form_key(token)
    if not _is_our_page(request, settings.public_url) or not hmac.compare_digest(form_key.encode(), expected.encode()):
        return message_page(403, "Not decided", "This did not come from the approval's own page. Open the link again.")
    principal = await principal_of(db, opened.link, request)
    if principal is None or opened.link.used_at is not None:
        return message_page(403, "Not decided", "This link may not decide any more.")
    try:
        await agent.decide(
            opened.approval.id,
            decision=decision,
            digest=opened.approval.digest,
            reason=" ".join(reason.split()) or None,
            principal=principal,
        )
    except AgentError as refused:
        return message_page(status_of(refused), "Not decided", refused.message)
    await links.use(opened.link.id)
    return RedirectResponse(f"{public_url(settings, request)}/approvals/{token}", 303, HEADERS)


def _is_our_page(request: Request, ours: str) -> bool:
    """Browsers say which site a form was on; a page of another one may not post here."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    hosts = {request.headers.get("host", ""), urlsplit(ours).netloc} - {""}
    return urlsplit(origin).netloc in hosts
