"""Which outside systems the tools use, by environment or `.env`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools.invoicing import Invoices, Ledger
from tools.search import Search, Searxng

_INVOICING = ("ledger",)


class ToolSettings(BaseSettings):
    """Read once, where the application is put together."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_", env_file=".env", extra="ignore", frozen=True)

    search: Annotated[str, Field(description="`searxng:<url>` or `off`.")] = "off"
    invoicing: Annotated[str, Field(description="`ledger`, our own database.")] = "ledger"

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


def create_invoices(settings: ToolSettings) -> Invoices:  # noqa: ARG001 - one choice so far
    return Ledger()


def create_search(settings: ToolSettings) -> Search | None:
    """The search engine; None when searching is off."""
    return None if settings.search == "off" else Searxng(settings.search.removeprefix("searxng:"))
