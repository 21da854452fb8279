"""Where one is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from agent.principal import Scope
from api.auth.sessions import revoke_all
from api.principal import TheAuthenticator, ThePerson
from api.problems import Problem, documented
from api.resources import Page, Resource
from api.state import TheDb
from tools.context import utc_now

router = APIRouter(prefix="/v1/auth/sessions", tags=["sign-in"], responses=documented(401, 403, 503))


class Session(Resource):
    """A sign-in that has not ended."""

    id: str
    client: str
    scopes: Annotated[list[Scope] | None, Field(description="What it is limited to; null for nothing.")]
    created_at: datetime
    last_used_at: Annotated[datetime, Field(description="When its tokens were last refreshed.")]
    expires_at: datetime


@router.get("")
async def list_sessions(db: TheDb, person: ThePerson) -> Page[Session]:
    """One's own sign-ins, the newest first, all at once."""
    rows = await db.authsession.find_many(
        where={"user_id": person.user_id or "", "revoked_at": None, "expires_at": {"gt": utc_now()}},
        order=[{"created_at": "desc"}, {"id": "desc"}],
    )
    return Page(data=[Session.model_validate(row) for row in rows])


@router.delete("", status_code=204)
async def revoke_all_sessions(db: TheDb, authenticator: TheAuthenticator, person: ThePerson) -> None:
    """Sign out everywhere, here too. Personal keys go on."""
    await revoke_all(db, person.user_id or "", reason="signed_out_everywhere", now=utc_now())
    authenticator.forget()


@router.delete("/{session_id}", status_code=204, responses=documented(404))
async def revoke_session(session_id: str, db: TheDb, authenticator: TheAuthenticator, person: ThePerson) -> None:
    """Sign out there."""
    row = await db.authsession.find_first(where={"id": session_id, "user_id": person.user_id or "", "revoked_at": None})
    if row is None:
        raise Problem(404, "session_not_found", f"No session {session_id!r}.")
    await authenticator.sessions.revoke(db, session_id, reason="signed_out", now=utc_now())
    authenticator.forget()
