"""What no answer may hold: the secret values of our own settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings


def secret_values(*settings: BaseSettings) -> tuple[str, ...]:
    """Every secret of these settings, and the passwords in their addresses (`postgresql://me:password@host/db`)."""
    return tuple(found for one in settings for _, value in one for found in _secrets(value) if found)


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value().strip()
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, object]", value).values():
            yield from _secrets(one)
    elif isinstance(value, BaseModel):
        for _, one in value:
            yield from _secrets(one)
    elif isinstance(value, str) and "://" in value:
        try:
            yield unquote(urlsplit(value).password or "")
        except ValueError:
            return  # no address after all
