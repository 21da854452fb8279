"""`deskclerk db ...`, on the database of DATABASE_URL."""

from __future__ import annotations

import asyncio

from api.cli.exits import FAILED


def migrate() -> None:
    """Apply what is pending and print it."""
    from api.settings import ApiSettings
    from prisma.migrate import migrate as apply

    applied = asyncio.run(apply(ApiSettings().database_url))
    for migration in applied:
        print(f"applied {migration.name} in {migration.seconds:.2f} s")
    if not applied:
        print("up to date")


def status() -> int:
    """Print what is applied, pending or wrong. Returns 0 only when there is nothing to do."""
    from api.settings import ApiSettings
    from prisma.migrate import status as read

    found = asyncio.run(read(ApiSettings().database_url))
    for what in ("applied", "pending", "changed", "failed", "unknown"):
        for name in getattr(found, what):
            print(f"{what:<8} {name}")
    print(f"{found.provider}: {'up to date' if found.up_to_date else 'not up to date'}")
    return 0 if found.up_to_date else FAILED


def seed() -> None:
    """Migrate, and put a small company into the database."""
    from api.settings import ApiSettings

    asyncio.run(_seed(ApiSettings().database_url))
    print("seeded")


async def _seed(url: str) -> None:
    from api.service import open_database
    from tools.context import utc_now
    from tools.seed import seed as fill

    async with open_database(url) as db:
        await fill(db, now=utc_now())


def generate() -> None:
    """Write the typed client and print its folder."""
    import prisma
    from prisma.generator import generate as write

    print(write(prisma.__path__[0] + "/schema.prisma"))
