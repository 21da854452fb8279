"""Personal keys, for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.principal import Scope
from api.auth.audit import record
from api.auth.scopes import whole
from api.auth.secret_tokens import API_KEY, digest, new_secret
from api.principal import TheAuthenticator, ThePerson
from api.problems import Problem, documented
from api.resources import Page, Resource
from api.state import TheDb
from tools.context import utc_now

if TYPE_CHECKING:
    from prisma.client.types import ApiKeyWhereInput

router = APIRouter(prefix="/v1/auth/keys", tags=["sign-in"], responses=documented(401, 403, 503))

LONGEST_DAYS = 366
MOST_KEYS = 50  # of one person, not revoked
_HINT = 8  # characters of a key that lists show


class NewKey(BaseModel):
    """What a key is for, and how far it reaches: never further than its owner."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4, description="`read` is in every key.")]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS, description="Until it expires.")] = 90


class Key(Resource):
    """A key, without what it is."""

    id: str
    name: str
    hint: Annotated[str, Field(description="How it begins.")]
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")]


class CreatedKey(Key):
    """A key, shown this once."""

    key: str


@router.post("", status_code=201, responses=documented(409))
async def create_key(new: NewKey, response: Response, db: TheDb, person: ThePerson) -> CreatedKey:
    """Make a key. It is shown in this answer and never again."""
    now, user_id = utc_now(), person.user_id or ""
    if await db.apikey.count(where=_live(user_id, now)) >= MOST_KEYS:
        raise Problem(409, "too_many_keys", f"There are {MOST_KEYS} keys already; revoke one first.")
    key = new_secret(API_KEY)
    row = await db.apikey.create(
        data={
            "user_id": user_id,
            "name": new.name,
            "hint": key[:_HINT],
            "hash": digest(key),
            "scopes": list(whole(new.scopes)),
            "created_at": now,
            "expires_at": now + timedelta(days=new.days),
        }
    )
    await record(db, person.tenant_id, actor=user_id, action="key.create", subject=row.id, scopes=whole(new.scopes))
    response.headers["Cache-Control"] = "no-store"
    return CreatedKey(**Key.model_validate(row).model_dump(), key=key)


@router.get("")
async def list_keys(db: TheDb, person: ThePerson) -> Page[Key]:
    """One's own keys that are good, the newest first, all at once."""
    rows = await db.apikey.find_many(
        where=_live(person.user_id or "", utc_now()), order=[{"created_at": "desc"}, {"id": "desc"}]
    )
    return Page(data=[Key.model_validate(row) for row in rows])


@router.delete("/{key_id}", status_code=204, responses=documented(404))
async def revoke_key(key_id: str, db: TheDb, authenticator: TheAuthenticator, person: ThePerson) -> None:
    """Revoke a key, at once."""
    user_id = person.user_id or ""
    revoked = await db.apikey.update_many(
        where={"id": key_id, "user_id": user_id, "revoked_at": None}, data={"revoked_at": utc_now()}
    )
    if not revoked:
        raise Problem(404, "key_not_found", f"No key {key_id!r}.")
    authenticator.forget()
    await record(db, person.tenant_id, actor=user_id, action="key.revoke", subject=key_id)


def _live(user_id: str, now: datetime) -> ApiKeyWhereInput:
    return {"user_id": user_id, "revoked_at": None, "expires_at": {"gt": now}}
