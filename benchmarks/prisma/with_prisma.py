"""Our side, twice: the typed client (pydantic rows) and the engine underneath (dicts)."""

from __future__ import annotations

from typing import Any

from benchmarks.prisma.sides import CUSTOMERS, LINES, ORDERS, PAGE, TENANT
from prisma import EngineOptions, Prisma
from prisma.engine import Engine, JsonQuery

POOL = EngineOptions(pool_size=10)
_ALL = {"$scalars": True, "$composites": True}


def customer(key: str) -> dict[str, Any]:
    return {
        "id": f"c{key}",
        "tenant_id": TENANT,
        "name": f"Customer {key}",
        "email": f"{key}@example.com",
        "country": "DE",
        "currency": "EUR",
        "credit_limit_minor": 100_000,
    }


def order(key: str, customer_id: str) -> dict[str, Any]:
    return {
        "id": f"o{key}",
        "tenant_id": TENANT,
        "customer_id": customer_id,
        "number": f"PO-{key}",
        "currency": "EUR",
        "total_minor": 5_000,
    }


def lines(key: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"l{key}-{position}",
            "position": position,
            "description": f"Line {position}",
            "quantity_milli": 1_000,
            "unit_price_minor": 1_000,
            "total_minor": 1_000,
        }
        for position in range(LINES)
    ]


async def fill(url: str) -> None:
    """The data that every side starts with."""
    async with Prisma(url) as db:
        await db.tenant.create(data={"id": TENANT, "name": TENANT})
        await db.customer.create_many(data=[_any(customer(str(number))) for number in range(CUSTOMERS)])
        orders = [order(str(number), f"c{number % CUSTOMERS}") for number in range(ORDERS)]
        await db.purchaseorder.create_many(data=[_any(one) for one in orders])
        every = [line | {"order_id": f"o{number}"} for number in range(ORDERS) for line in lines(str(number))]
        await db.purchaseorderline.create_many(data=[_any(line) for line in every])


def _any(value: dict[str, Any]) -> Any:
    return value


class PrismaClient:
    name = "prisma client"

    def __init__(self, url: str) -> None:
        self._db = Prisma(url, options=POOL)

    async def start(self) -> None:
        await self._db.connect()

    async def stop(self) -> None:
        await self._db.disconnect()

    async def find_unique(self, number: int) -> object:
        return await self._db.customer.find_unique(where={"id": f"c{number % CUSTOMERS}"})

    async def find_many_with_include(self, number: int) -> object:
        return await self._db.purchaseorder.find_many(
            where={"tenant_id": TENANT, "id": {"gte": f"o{number % ORDERS}"}},
            order={"id": "asc"},
            take=PAGE,
            include={"lines": {"order_by": {"position": "asc"}}},
        )

    async def create(self, key: str) -> object:
        return await self._db.customer.create(data=_any(customer(key)))

    async def nested_create(self, key: str) -> object:
        return await self._db.purchaseorder.create(data=_any(order(key, "c1") | {"lines": {"create": lines(key)}}))


class PrismaEngine:
    name = "prisma engine"

    def __init__(self, url: str) -> None:
        with_schema = Prisma(url, options=POOL)
        self._engine: Engine = with_schema.engine

    async def start(self) -> None:
        await self._engine.connect()

    async def stop(self) -> None:
        await self._engine.disconnect()

    async def _run(self, model: str, action: str, arguments: dict[str, Any], **selection: Any) -> object:
        query: JsonQuery = {
            "modelName": model,
            "action": action,
            "query": {"arguments": arguments, "selection": _ALL | selection},
        }
        return await self._engine.execute(query)

    async def find_unique(self, number: int) -> object:
        return await self._run("Customer", "findUnique", {"where": {"id": f"c{number % CUSTOMERS}"}})

    async def find_many_with_include(self, number: int) -> object:
        where = {"tenant_id": TENANT, "id": {"gte": f"o{number % ORDERS}"}}
        arguments: dict[str, Any] = {"where": where, "orderBy": {"id": "asc"}, "take": PAGE}
        inner = {"arguments": {"orderBy": {"position": "asc"}}, "selection": _ALL}
        return await self._run("PurchaseOrder", "findMany", arguments, lines=inner)

    async def create(self, key: str) -> object:
        return await self._run("Customer", "createOne", {"data": customer(key)})

    async def nested_create(self, key: str) -> object:
        data = order(key, "c1") | {"lines": {"create": lines(key)}}
        return await self._run("PurchaseOrder", "createOne", {"data": data})
