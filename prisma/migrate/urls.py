"""A database address, read as Prisma reads `DATABASE_URL`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from prisma.migrate.errors import UnsupportedUrl

Provider = Literal["sqlite", "postgresql"]
PROVIDERS: tuple[Provider, ...] = ("sqlite", "postgresql")

# What Prisma puts into a PostgreSQL address for its own pool; the server must not see these as settings.
_PRISMA_PARAMETERS = frozenset({"schema", "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout"})


@dataclass(frozen=True, slots=True)
class SqliteTarget:
    path: Path

    provider: Provider = "sqlite"

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresTarget:
    dsn: str
    schema: str

    provider: Provider = "postgresql"

    def __str__(self) -> str:
        return _without_password(self.dsn)


def parse_url(url: str) -> SqliteTarget | PostgresTarget:
    """Read `file:./x.db`, `file:/abs/x.db` or `postgresql://...`.

    A relative file is relative to the working directory. `?schema=` chooses PostgreSQL's schema, `public` by default.

    Raises:
        UnsupportedUrl: Another form. The message holds no password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest:
        path = unquote(rest.partition("?")[0])
        # file:///abs is the same file as file:/abs.
        path = "/" + path.lstrip("/") if path.startswith("//") else path
        return SqliteTarget(Path(path).absolute())
    if scheme in ("postgresql", "postgres"):
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        kept = urlencode({key: value for key, value in query.items() if key not in _PRISMA_PARAMETERS}, safe="/")
        return PostgresTarget(urlunsplit(parts._replace(query=kept)), query.get("schema", "public"))
    raise UnsupportedUrl(_without_password(url))


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))
