"""`python -m prisma.migrate status | apply | resolve NAME --applied|--rolled-back`, on DATABASE_URL."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from prisma.migrate import MigrateError, migrate, resolve, status


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m prisma.migrate", description=__doc__)
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL", "file:./deskclerk.db"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="say what is applied and what is pending")
    commands.add_parser("apply", help="apply what is pending")
    resolving = commands.add_parser("resolve", help="say what became of a migration that stopped half-way")
    resolving.add_argument("name")
    outcome = resolving.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--applied", action="store_true")
    outcome.add_argument("--rolled-back", action="store_true")
    options = parser.parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except (MigrateError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


async def _run(options: argparse.Namespace) -> int:
    if options.command == "resolve":
        await resolve(options.url, options.name, applied=options.applied)
        return 0
    if options.command == "apply":
        for step in await migrate(options.url):
            print(f"applied {step.name} in {step.seconds:.2f} s")
    standing = await status(options.url)
    for name in ("applied", "pending", "changed", "failed", "unknown"):
        for migration in getattr(standing, name):
            print(f"{name:8} {migration}")
    return 0 if standing.up_to_date else 1


if __name__ == "__main__":
    sys.exit(main())
