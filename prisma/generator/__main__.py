"""`python -m prisma.generator [schema.prisma] [--output FOLDER]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from prisma.generator import generate

DEFAULT_SCHEMA = Path(__file__).parents[1] / "schema.prisma"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m prisma.generator", description="Write the typed client of a schema."
    )
    parser.add_argument("schema", nargs="?", type=Path, default=DEFAULT_SCHEMA)
    parser.add_argument("--output", type=Path, help="folder to write; else what the generator block says")
    parser.add_argument("--package", help="import name of that folder")
    arguments = parser.parse_args()
    print(generate(arguments.schema, arguments.output, package=arguments.package))


if __name__ == "__main__":
    main()
