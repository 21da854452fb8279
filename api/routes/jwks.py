"""The keys by which others may verify our access tokens."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth.signing_keys import published
from api.problems import documented
from api.state import TheDb
from tools.context import utc_now

router = APIRouter(tags=["sign-in"], responses=documented(503))


class JwkSet(BaseModel):
    """RFC 7517."""

    keys: list[dict[str, Any]]


@router.get("/.well-known/jwks.json")
async def get_jwks(db: TheDb, response: Response) -> JwkSet:
    """The public keys that verify now."""
    response.headers["Cache-Control"] = "max-age=60"
    return JwkSet(keys=await published(db, now=utc_now()))
