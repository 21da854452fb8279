"""Runs Prisma operations: Prisma 7's own query compiler (WebAssembly) plans, this package carries the plans out.

    engine = Engine.create(schema=Path("schema.prisma").read_text(), url="file:./app.db")
    await engine.connect()
    rows = await engine.execute({
        "modelName": "User", "action": "findMany",
        "query": {"arguments": {"where": {"name": "Ada"}}, "selection": {"$scalars": True, "$composites": True}},
    })
    async with engine.tx(isolation="Serializable") as tx:
        await engine.execute(..., tx=tx)
    await engine.disconnect()

What comes back are Python values: dict, list, str, int, float, bool, None, aware `datetime` in UTC, `Decimal`, `bytes`,
and parsed Json. Errors are those of `prisma.errors`.
"""

from prisma.engine.engine import Engine
from prisma.engine.retry import in_serializable_transaction
from prisma.engine.transaction import Transaction
from prisma.engine.types import EngineOptions, IsolationLevel, JsonQuery, Provider, QueryEvent

__all__ = [
    "Engine",
    "EngineOptions",
    "IsolationLevel",
    "JsonQuery",
    "Provider",
    "QueryEvent",
    "Transaction",
    "in_serializable_transaction",
]
