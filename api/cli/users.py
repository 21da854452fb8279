"""`deskclerk users ...`, on the database of DATABASE_URL. A running server goes by it at once."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

import orjson

from api.cli.exits import UNAVAILABLE, USAGE, Stop

if TYPE_CHECKING:
    from agent.principal import Role
    from prisma import Prisma


def add(name: str, *, roles: Sequence[str], email: str | None, tenant: str, password: bool) -> None:
    """Add a user and print them."""
    from api.auth.users import add_user

    chosen = _roles(roles)
    hashed = _new_password(name) if password else None

    async def work(db: Prisma) -> str:
        user = await add_user(db, name, roles=chosen, password_hash=hashed, email=email, tenant_id=tenant)
        return f"added {user.name} ({', '.join(chosen)})"

    print(_on_database(work))


def list_all() -> None:
    """Print the users, one JSON object a line."""
    from api.auth.users import list_users

    async def work(db: Prisma) -> list[dict[str, Any]]:
        return [
            {
                "name": user.name,
                "tenant": user.tenant_id,
                "roles": sorted(grant.role.value for grant in user.roles),
                "email": user.email,
                "disabled_at": user.disabled_at,
                "password": user.password_hash is not None,
                "identities": [f"{one.issuer} {one.subject}" for one in user.identities],
            }
            for user in await list_users(db)
        ]

    for user in _on_database(work):
        print(orjson.dumps(user).decode())


def disable(name: str) -> None:
    """Let a user in no more."""
    from api.auth.users import disable_user

    _on_database(lambda db: disable_user(db, name))
    print(f"disabled {name}")


def enable(name: str) -> None:
    """Let a disabled user in again."""
    from api.auth.users import enable_user

    _on_database(lambda db: enable_user(db, name))
    print(f"enabled {name}")


def password(name: str) -> None:
    """Set another password; every sign-in of the user ends."""
    from api.auth.users import set_password

    hashed = _new_password(name)
    _on_database(lambda db: set_password(db, name, hashed))
    print(f"changed the password of {name}")


def roles(name: str, chosen: Sequence[str]) -> None:
    """Give a user these roles and no others."""
    from api.auth.users import set_roles

    wanted = _roles(chosen)
    _on_database(lambda db: set_roles(db, name, wanted))
    print(f"{name} is {', '.join(wanted)}")


def link(name: str, provider: str, subject: str) -> None:
    """Let whom a provider knows by `subject` sign in as this user."""
    from api.auth.settings import AuthSettings
    from api.auth.users import link_identity

    known = AuthSettings().oidc_providers
    if provider not in known:
        raise Stop(f"{provider!r} is no provider of DESKCLERK_OIDC_PROVIDERS.", USAGE)
    issuer = known[provider].issuer
    _on_database(lambda db: link_identity(db, name, issuer=issuer, subject=subject))
    print(f"linked {name} to {subject} at {provider}")


def _on_database(work: Callable[[Prisma], Awaitable[Any]]) -> Any:
    from api.auth.users import UserProblem
    from api.service import open_database
    from api.settings import ApiSettings

    async def run() -> Any:
        async with open_database(ApiSettings().database_url) as db:
            return await work(db)

    try:
        return asyncio.run(run())
    except UserProblem as problem:
        raise Stop(str(problem), UNAVAILABLE) from None


def _roles(chosen: Sequence[str]) -> list[Role]:
    from agent.principal import Role

    if not chosen or set(chosen) - set(get_args(Role)):
        raise Stop(f"A role is one of {', '.join(get_args(Role))}.", USAGE)
    return list(cast("Sequence[Role]", chosen))


def _new_password(name: str) -> str:
    """The hash of a password from the terminal, asked for twice, or from the first line of standard input.

    Never an argument: those are seen by whoever lists the processes, and kept by the shell.
    """
    from api.auth.passwords import BadPassword, hash_password
    from api.auth.users import UserProblem, user_name

    if sys.stdin.isatty():
        try:
            given = getpass.getpass("Password: ")
            if getpass.getpass("Again: ") != given:
                raise Stop("The two are not the same.", USAGE)
        except (EOFError, KeyboardInterrupt):
            raise Stop("No password was given.", USAGE) from None
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        return hash_password(given, user_name=user_name(name))
    except (BadPassword, UserProblem) as problem:
        raise Stop(str(problem), USAGE) from None
