"""`python -m tests.fuzz [EXAMPLES]`: in full, in every role and as nobody, on PostgreSQL; prints a table."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.fuzz.fuzz import Found, fuzz, fuzzed_server, keys_of_all_roles
from tests.support.postgres import PostgresServer

EXAMPLES = 110


def main() -> int:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    total, failed = 0, False
    with tempfile.TemporaryDirectory() as name:
        folder, postgres = Path(name), PostgresServer(Path(name) / "postgres")
        url = postgres.url(asyncio.run(postgres.create_database()))
        keys = asyncio.run(keys_of_all_roles(url))
        with fuzzed_server(url, folder) as server:
            everybody = {"nobody": "", **keys}

            def one(who: str) -> tuple[str, Found, float]:
                began = time.monotonic()
                return who, fuzz(server, everybody[who], examples=examples, folder=folder), time.monotonic() - began

            with ThreadPoolExecutor(min(len(everybody), os.cpu_count() or 1)) as pool:
                for work in as_completed([pool.submit(one, who) for who in everybody]):
                    who, found, seconds = work.result()
                    total += found.cases
                    print(f"{who:<9} {found.cases:6d} cases {seconds:6.0f} s", flush=True)
                    if not found.passed:
                        failed = True
                        print(found.report, flush=True)
    print(f"{'all':<9} {total:6d} cases")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
