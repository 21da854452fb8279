"""Which outside systems the tools use, by environment or `.env`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools.invoicing import Invoices, Ledger
from tools.invoicing.stripe import API_BASE, Stripe, StripeClient
from tools.search import Search, Searxng
from tools.web import WebClient, WebLimits

_INVOICING = ("ledger", "stripe")


class ToolSettings(BaseSettings):
    """Read once, where the application is put together."""

    model_config = SettingsConfigDict(
        env_prefix="DESKCLERK_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    search: Annotated[str, Field(description="`searxng:<url>` or `off`.")] = "off"
    web_ports: Annotated[frozenset[int], Field(description="Ports that web pages are read from.")] = frozenset(
        (80, 443)
    )
    web_networks: Annotated[
        tuple[IPvAnyNetwork, ...], Field(description="Networks that are not public and that pages are read from.")
    ] = ()
    invoicing: Annotated[str, Field(description="`ledger`, our own database, or `stripe`.")] = "ledger"
    stripe_api_key: Annotated[
        SecretStr | None, Field(validation_alias="STRIPE_API_KEY", description="Secret or restricted key.")
    ] = None
    stripe_api_base: Annotated[str, Field(validation_alias="STRIPE_API_BASE", description="Where Stripe's API is.")] = (
        API_BASE
    )

    @field_validator("search")
    @classmethod
    def _known_search(cls, value: str) -> str:
        if value == "off" or value.startswith(("searxng:http://", "searxng:https://")):
            return value
        raise ValueError(f"DESKCLERK_SEARCH={value!r} is neither 'off' nor like 'searxng:http://localhost:8888'")

    @field_validator("invoicing")
    @classmethod
    def _known_invoicing(cls, value: str) -> str:
        if value in _INVOICING:
            return value
        raise ValueError(f"DESKCLERK_INVOICING={value!r} is not one of: {', '.join(_INVOICING)}")

    @field_validator("stripe_api_base")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value.startswith(("https://", "http://")):
            return value
        raise ValueError(f"STRIPE_API_BASE={value!r} is not like {API_BASE!r}")

    @model_validator(mode="after")
    def _stripe_has_its_key(self) -> Self:
        if self.invoicing == "stripe" and not (self.stripe_api_key and self.stripe_api_key.get_secret_value().strip()):
            raise ValueError(
                "DESKCLERK_INVOICING=stripe needs STRIPE_API_KEY, a secret or restricted key of the account"
            )
        return self


def create_invoices(settings: ToolSettings) -> Invoices:
    """The system that invoices; `close` it in the end."""
    if settings.invoicing == "stripe" and settings.stripe_api_key is not None:
        key = settings.stripe_api_key.get_secret_value().strip()
        return Stripe(StripeClient(key, base=settings.stripe_api_base))
    return Ledger()


def create_search(settings: ToolSettings) -> Search | None:
    """The search engine; None when searching is off."""
    return None if settings.search == "off" else Searxng(settings.search.removeprefix("searxng:"))


def create_web(settings: ToolSettings) -> WebClient | None:
    """What reads pages by their addresses; None when searching is off."""
    if settings.search == "off":
        return None
    return WebClient(WebLimits(allowed=settings.web_networks, ports=settings.web_ports))
