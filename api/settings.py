"""What can be set about the server. Read in `create_app`'s caller or the CLI, nowhere else."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class ApiSettings(BaseSettings):
    """From the environment or `.env`. `DATABASE_URL` is known by its usual name, the rest begins with `DESKCLERK_`."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_", env_file=".env", extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="0 lets the system choose.")] = 8000
    database_url: Annotated[str, Field(validation_alias="DATABASE_URL", repr=False)] = "file:./deskclerk.db"
    auth: Annotated[
        Literal["auto", "on", "off"],
        Field(description="`auto`: sign-in is asked for as soon as there is a user or a provider; `off`: never."),
    ] = "auto"
    public_url: Annotated[str | None, Field(description="Where people reach this server: `https://desk.example`.")] = (
        None
    )
    trusted_proxies: Annotated[
        list[IPvAnyNetwork], Field(description='Whose `X-Forwarded-For` is believed, as JSON: `["10.0.0.0/8"]`.')
    ] = []
    max_body_bytes: Annotated[int, Field(ge=1024, description="Of any request but an upload.")] = 1 * MIB
    max_document_bytes: Annotated[int, Field(ge=1024, description="More than 10 MiB is not read.")] = 10 * MIB
    header_seconds: Annotated[float, Field(gt=0, description="For a request's head to arrive.")] = 15.0
    body_seconds: Annotated[float, Field(gt=0, description="For a request's body to arrive.")] = 60.0
    write_seconds: Annotated[
        float, Field(gt=0, description="For a client to read on; then it is cut off, and may come back.")
    ] = 60.0
    heartbeat_seconds: Annotated[float, Field(gt=0, description="Silence on a stream before a comment is sent.")] = 15.0
    shutdown_seconds: Annotated[float, Field(ge=0, description="For runs and streams to end when stopped.")] = 10.0

    stripe_webhook_secret: Annotated[
        SecretStr | None,
        Field(validation_alias="STRIPE_WEBHOOK_SECRET", description="Signs what Stripe tells us; `whsec_...`."),
    ] = None

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
            raise ValueError("is like https://desk.example, without a path")
        return url.rstrip("/")

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite database; None for any other."""
        if not self.database_url.startswith("file:"):
            return None
        return Path(self.database_url.removeprefix("file:").partition("?")[0])


class ClientSettings(BaseSettings):
    """What the command line needs to ask a server for something."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_", env_file=".env", extra="ignore")

    api_key: Annotated[SecretStr | None, Field(description="A personal key at the server that is asked.")] = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
