"""Database URL -> driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prisma.drivers.base import Driver
from prisma.errors import InputError

if TYPE_CHECKING:  # the engine imports the drivers
    from prisma.engine.types import EngineOptions, Provider

SCHEMES: dict[str, Provider] = {
    "file": "sqlite",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}


def provider_of(url: str) -> Provider:
    """The provider of a database URL.

    Raises:
        InputError: It is of no database known here. The message does not repeat the URL: it may hold a password.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise InputError(f"A database URL starts with {', '.join(f'{known}:' for known in SCHEMES)}, not {scheme!r}.")
    return SCHEMES[scheme]


def make_driver(url: str, options: EngineOptions) -> Driver:
    """The driver for a URL, not yet open."""
    if provider_of(url) == "sqlite":
        from prisma.drivers.sqlite import SqliteDriver, path_of

        return SqliteDriver(path_of(url), options)
    from prisma.drivers.postgres import PostgresDriver

    return PostgresDriver(url, options)
