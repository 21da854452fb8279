"""What can be set about signing in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.principal import DEFAULT_TENANT, Role
from api.settings import is_loopback

ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class Provider(BaseModel):
    """Somebody who vouches for people by OpenID Connect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(description="As its tokens name it, without the path of its configuration.")]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr | None, Field(description="None for a public client; PKCE is used always.")] = (
        None
    )
    scopes: list[str] = ["openid", "email"]
    create_users: Annotated[
        bool, Field(description="Whether somebody who comes for the first time becomes a user.")
    ] = False
    roles: Annotated[list[Role], Field(description="Of users that are created so.")] = ["viewer"]
    tenant_id: str = DEFAULT_TENANT

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("must begin with https://")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _asks_for_an_identity(cls, scopes: list[str]) -> list[str]:
        return scopes if "openid" in scopes else ["openid", *scopes]


class AuthSettings(BaseSettings):
    """From the environment or `.env`, beginning with `DESKCLERK_`."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_", env_file=".env", extra="ignore")

    secret_key: Annotated[
        SecretStr | None,
        Field(min_length=32, description="Seals the keys that sign tokens, where the database has them."),
    ] = None
    access_minutes: Annotated[float, Field(gt=0, le=60, description="Life of an access token.")] = 15
    session_days: Annotated[float, Field(gt=0, le=365, description="Life of a sign-in; its tokens are refreshed.")] = 30
    first_party_apps: Annotated[
        list[str],
        Field(description="`client_id`s that may send passwords; the first where none is sent, none: nobody."),
    ] = ["deskclerk"]
    oidc_providers: Annotated[dict[ProviderName, Provider], Field(description="By name, as JSON.")] = {}

    @property
    def access_life(self) -> timedelta:
        return timedelta(minutes=self.access_minutes)

    @property
    def session_life(self) -> timedelta:
        return timedelta(days=self.session_days)
