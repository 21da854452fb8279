"""The same operations on two clients, each with its own database, and what differs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.prisma.differential.databases import Database, Rows
from tests.prisma.differential.official import OfficialClient, OfficialError
from tests.prisma.differential.operations import Json
from tests.prisma.differential.protocol import normal

# Rows that come in no promised order.
_UNORDERED = frozenset({"createManyAndReturn", "updateManyAndReturn"})


@dataclass(frozen=True)
class Outcome:
    """What an operation gave: a result, or an error's class (and its code, where it is a known one)."""

    result: Any = None
    error: str | None = None
    message: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.error:
            return f"error {self.error}: {self.message.strip()[:600]}"
        return json.dumps(self.result, ensure_ascii=False, sort_keys=True)


class Client(Protocol):
    async def outcome(self, operation: Json) -> Outcome: ...

    async def close(self) -> None: ...


@dataclass
class Official:
    """The JavaScript client."""

    client: OfficialClient

    async def outcome(self, operation: Json) -> Outcome:
        try:
            result = await self.client.execute(operation)
        except OfficialError as error:
            return Outcome(error=error.code if error.kind == "known" else error.kind, message=str(error))
        return Outcome(ordered(operation, normal(result)))

    async def close(self) -> None:
        await self.client.close()


def ordered(operation: Json, result: Any) -> Any:
    """The result with its rows sorted where the database may give them in any order."""
    if "batch" in operation:
        return [ordered(inner, one) for inner, one in zip(operation["batch"], result, strict=True)]
    return sorted(result, key=repr) if operation["action"] in _UNORDERED else result


@dataclass
class Pair:
    """Two clients that must not differ."""

    expected: Client
    actual: Client
    expected_database: Database
    actual_database: Database
    ran: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])

    async def compare(self, operations: list[Json]) -> None:
        """Run them one after the other on both sides.

        Raises:
            AssertionError: An outcome or the rows afterwards differ. The message is a reproduction.
        """
        await self.expected_database.reset()
        await self.actual_database.reset()
        for number, operation in enumerate(operations, start=1):
            expected = await self.expected.outcome(operation)
            actual = await self.actual.outcome(operation)
            self._count(operation, expected)
            if expected != actual:
                raise AssertionError(_report(operations[:number], f"expected  {expected}\nactual    {actual}"))
        difference = compare_tables(await self.expected_database.dump(), await self.actual_database.dump())
        if difference:
            raise AssertionError(_report(operations, f"the rows afterwards differ\n{difference}"))

    def _count(self, operation: Json, outcome: Outcome) -> None:
        for inner in operation.get("batch", [operation]):
            self.ran[inner["action"]] += 1
        self.errors[outcome.error or "none"] += 1


def compare_tables(expected: dict[str, Rows], actual: dict[str, Rows]) -> str:
    lines: list[str] = []
    for table, rows in expected.items():
        missing = [row for row in rows if row not in actual[table]]
        extra = [row for row in actual[table] if row not in rows]
        lines += [f"{table}: only expected {row}" for row in missing] + [
            f"{table}: only actual   {row}" for row in extra
        ]
        if not (missing or extra) and len(rows) != len(actual[table]):
            lines.append(f"{table}: {len(rows)} rows expected, {len(actual[table])} found")
    return "\n".join(lines)


def _report(operations: list[Json], difference: str) -> str:
    steps = "\n".join(json.dumps(operation, ensure_ascii=False) for operation in operations)
    return f"after the seed, these operations (the last one differs):\n{steps}\n{difference}"
