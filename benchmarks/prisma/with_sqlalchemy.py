"""SQLAlchemy 2 Core, async, on the same drivers with the same settings."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, MetaData, Table, event, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.prisma.sides import CUSTOMERS, ORDERS, PAGE, TENANT
from benchmarks.prisma.with_prisma import customer, lines, order

_NO_TRANSACTION: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}


class SqlAlchemyCore:
    """Made as fast as we know: no BEGIN, COMMIT or ROLLBACK around what is one statement, as ours has none.

    On SQLite as ours: WAL, foreign keys, one connection that writes with BEGIN IMMEDIATE, four that read.
    """

    name = "sqlalchemy core"

    def __init__(self, url: str) -> None:
        self._sqlite = url.startswith("file:")
        if self._sqlite:
            address = "sqlite+aiosqlite:///" + url.removeprefix("file:")
            self._writer = _sqlite_engine(address, pool_size=1, begin="BEGIN IMMEDIATE")
            self._one_write = _sqlite_engine(address, pool_size=1)  # never used while the other one is
            self._reader = _sqlite_engine(address, pool_size=4)
        else:
            address = url.replace("postgresql://", "postgresql+asyncpg://", 1)
            options: dict[str, Any] = {"pool_size": 10, "max_overflow": 0, "pool_timeout": 30}
            self._writer = create_async_engine(address, **options)
            self._reader = create_async_engine(address, **options, **_NO_TRANSACTION)
            self._one_write = self._reader
        self._tables = MetaData()

    async def start(self) -> None:
        async with self._reader.connect() as connection:
            await connection.run_sync(self._reflect)

    def _reflect(self, connection: Connection) -> None:
        self._tables.reflect(connection, only=["Customer", "PurchaseOrder", "PurchaseOrderLine"], resolve_fks=False)
        self._customer: Table = self._tables.tables["Customer"]
        self._order: Table = self._tables.tables["PurchaseOrder"]
        self._line: Table = self._tables.tables["PurchaseOrderLine"]

    async def stop(self) -> None:
        for engine in {self._writer, self._one_write, self._reader}:
            await engine.dispose()

    def _now(self) -> datetime:
        now = datetime.now(UTC)
        return now if self._sqlite else now.replace(tzinfo=None)

    async def find_unique(self, number: int) -> object:
        query = select(self._customer).where(self._customer.c.id == f"c{number % CUSTOMERS}")
        async with self._reader.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return row and dict(row._mapping)  # pyright: ignore[reportPrivateUsage] - its documented name

    async def find_many_with_include(self, number: int) -> object:
        page = (
            select(self._order)
            .where(self._order.c.tenant_id == TENANT, self._order.c.id >= f"o{number % ORDERS}")
            .order_by(self._order.c.id)
            .limit(PAGE)
        )
        async with self._reader.connect() as connection:
            orders: list[dict[str, Any]] = [dict(row) for row in (await connection.execute(page)).mappings()]
            ids = [one["id"] for one in orders]
            theirs = select(self._line).where(self._line.c.order_id.in_(ids)).order_by(self._line.c.position)
            by_order: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in (await connection.execute(theirs)).mappings():
                by_order[row["order_id"]].append(dict(row))
        for one in orders:
            one["lines"] = by_order[one["id"]]
        return orders

    async def create(self, key: str) -> object:
        statement = insert(self._customer).values(customer(key) | {"updated_at": self._now()}).returning(self._customer)
        async with self._one_write.connect() as connection:
            return dict((await connection.execute(statement)).one()._mapping)  # pyright: ignore[reportPrivateUsage]

    async def nested_create(self, key: str) -> object:
        values = order(key, "c1") | {"updated_at": self._now()}
        async with self._writer.begin() as connection:
            statement = insert(self._order).values(values).returning(self._order)
            row = (await connection.execute(statement)).one()
            await connection.execute(insert(self._line), [line | {"order_id": values["id"]} for line in lines(key)])
        return dict(row._mapping)  # pyright: ignore[reportPrivateUsage]


def _sqlite_engine(address: str, *, pool_size: int, begin: str | None = None) -> AsyncEngine:
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30}
    engine = create_async_engine(address, **options, **({} if begin else _NO_TRANSACTION))

    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl-asyncio-version
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    event.listen(engine.sync_engine, "connect", on_connect)
    if begin:
        begin_with = begin

        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin_with)

        event.listen(engine.sync_engine, "begin", on_begin)
    return engine
