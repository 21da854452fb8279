"""What can be set about the server. Read in `create_app`'s caller or the CLI, nowhere else."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

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
    public_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^\s?#]+)?$", description="Where people reach this server, for links: `https://...`."
        ),
    ] = ""
    allowed_origins: Annotated[
        list[str], Field(description='Sites besides this server whose pages may open sockets: `["https://..."]`.')
    ] = []
    heartbeat_seconds: Annotated[float, Field(gt=0, description="Silence on a stream before a comment is sent.")] = 15.0
    shutdown_seconds: Annotated[float, Field(ge=0, description="For runs and streams to end when stopped.")] = 10.0

    log_format: Annotated[
        LogFormat, Field(description="`auto`: lines for people on a terminal, JSON anywhere else.")
    ] = "auto"
    log_level: Annotated[LogLevel, Field(description="`debug` also tells of probes and of each answer.")] = "info"
    log_content: Annotated[
        Literal["on", "off"], Field(description="Requests and answers stand in the log, and in traces.")
    ] = "off"
    metrics_token: Annotated[
        SecretStr | None, Field(description="Whoever reads `/metrics` must show it; without it, only this machine may.")
    ] = None
    traces: Annotated[
        Literal["on", "off"], Field(description="OpenTelemetry traces to OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = "off"

    stripe_webhook_secret: Annotated[
        SecretStr | None,
        Field(validation_alias="STRIPE_WEBHOOK_SECRET", description="Signs what Stripe tells us; `whsec_...`."),
    ] = None

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


@lru_cache(maxsize=4_096)
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
