"""What can be set about limits. Read in `create_app` and `open_service`, nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.principal import Principal, Role


def _readable(limit: str) -> str:
    parse(limit)
    return limit


def parse(limit: str) -> list[RateLimitItem]:
    """`600/minute`, or several: `20/second; 600/minute`. Empty for none.

    Raises:
        ValueError: It is neither.
    """
    return parse_many(limit) if limit.strip() else []


Limit = Annotated[str, AfterValidator(_readable)]


class RoleLimits(BaseModel):
    """What holds for a role instead of `user` and `tokens_user`; of several roles, the most generous."""

    model_config = ConfigDict(extra="forbid")

    user: Limit | None = None
    tokens_user: Limit | None = None


class LimitSettings(BaseSettings):
    """`DESKCLERK_LIMITS_USER=600/minute` and so on, from the environment or `.env`. An empty limit is none."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_LIMITS_", env_file=".env", extra="ignore", frozen=True)

    mode: Annotated[
        Literal["auto", "on", "off"],
        Field(description="`auto`: off with DESKCLERK_AUTH=off, else on, this machine's own address left out."),
    ] = "auto"
    url: Annotated[
        str, Field(repr=False, description="Where they are counted: `memory://`, or `redis://...` for several servers.")
    ] = "memory://"
    user: Annotated[Limit, Field(description="Requests of one user.")] = "600/minute"
    key: Annotated[Limit, Field(description="Requests with one API key.")] = "300/minute"
    address: Annotated[Limit, Field(description="Requests from one address, signed in or not.")] = "6000/minute"
    tokens_user: Annotated[Limit, Field(description="Input and output tokens of one user's runs.")] = (
        "200000/minute; 5000000/day"
    )
    tokens_key: Annotated[Limit, Field(description="Of the runs begun with one API key.")] = (
        "100000/minute; 2500000/day"
    )
    tokens_address: Annotated[Limit, Field(description="Of the runs begun from one address.")] = "20000000/day"
    streams_user: Annotated[int, Field(ge=1, description="Open streams of one user, in one process.")] = 64
    streams_key: Annotated[int, Field(ge=1, description="Of one API key.")] = 64
    streams_address: Annotated[int, Field(ge=1, description="From one address.")] = 512
    by_role: Annotated[
        dict[Role, RoleLimits],
        Field(description='Other limits for a role, as JSON: {"admin": {"user": "6000/minute", "tokens_user": ""}}.'),
    ] = Field(default_factory=dict[Role, RoleLimits])

    def enabled(self, *, auth: str) -> bool:
        """Whether anything is counted, given `DESKCLERK_AUTH`."""
        return self.mode == "on" or (self.mode == "auto" and auth != "off")


def most(settings: LimitSettings, principal: Principal, kind: str) -> list[RateLimitItem]:
    """The limits of kind `user` or `tokens_user` that hold for these roles: of several, the most generous."""
    general: str = getattr(settings, kind)
    special = [getattr(settings.by_role[role], kind) for role in principal.roles if role in settings.by_role]
    told = [parse(limit) for limit in special if limit is not None]
    return max(told, key=_generosity) if told else parse(general)


def _generosity(items: Sequence[RateLimitItem]) -> float:
    """Of the tightest, a second; no limit is the most generous."""
    return min((item.amount / item.get_expiry() for item in items), default=math.inf)
