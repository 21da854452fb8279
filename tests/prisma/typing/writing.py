"""What writing queries take and return."""

from datetime import UTC, datetime
from typing import assert_type

from prisma import DbNull, Json, JsonNull, Prisma, serializable
from prisma.models import Customer, CustomerWithRelations, Tag
from prisma.types import CustomerUncheckedCreateInput

CUSTOMER: CustomerUncheckedCreateInput = {
    "tenant_id": "1",
    "name": "a",
    "email": "a",
    "country": "DE",
    "currency": "EUR",
    "credit_limit_minor": 1,
}
WRONG: CustomerUncheckedCreateInput = {"name": "a"}  # E: reportAssignmentType


async def creating(db: Prisma) -> None:
    assert_type(await db.customer.create(CUSTOMER), Customer)
    assert_type(await db.customer.create(CUSTOMER, include={"tenant": True}), CustomerWithRelations)
    await db.customer.create(
        {
            "tenant": {"connect_or_create": {"where": {"name": "t"}, "create": {"name": "t"}}},
            "name": "a",
            "email": "a",
            "country": "DE",
            "currency": "EUR",
            "credit_limit_minor": 1,
            "purchase_orders": {
                "create": [
                    {
                        "tenant": {"connect": {"id": "1"}},
                        "number": "1",
                        "currency": "EUR",
                        "total_minor": 1,
                        "ordered_on": datetime.now(UTC),
                        "lines": {
                            "create": {
                                "position": 1,
                                "description": "x",
                                "quantity_milli": 1,
                                "unit_price_minor": 1,
                                "total_minor": 1,
                            }
                        },
                    }
                ]
            },
        }
    )
    await db.tag.create({})  # E: reportArgumentType
    await db.tag.create({"name": 1})  # E: reportArgumentType
    await db.tag.create({"name": "a", "nam": "b"})  # E: reportArgumentType
    await db.tag.create({"name": "a", "documents": {"creat": []}})  # E: reportArgumentType
    await db.tag.create({"name": "a", "documents": {"connect": [{"name": "no key"}]}})  # E: reportArgumentType
    await db.userrole.create({"user_id": "1", "role": "king"})  # E: reportArgumentType
    await db.userrole.create({"role": "admin"})  # E: reportArgumentType
    await db.tag.create_many([{"name": "a"}, {"nam": "b"}])  # E: reportArgumentType
    assert_type(await db.tag.create_many([{"name": "a"}], skip_duplicates=True), int)
    assert_type(await db.tag.create_many_and_return([{"name": "a"}]), list[Tag])


async def changing(db: Prisma) -> None:
    assert_type(await db.tag.update({"name": {"set": "b"}}, {"id": "1"}), Tag | None)
    assert_type(await db.tag.delete({"name": "b"}), Tag | None)
    assert_type(await db.tag.upsert({"name": "b"}, {"create": {"name": "b"}, "update": {}}), Tag)
    assert_type(await db.tag.update_many({"name": "b"}, {"name": {"not": "a"}}), int)
    assert_type(await db.tag.delete_many(), int)
    await db.run.update(
        {
            "last_sequence": {"increment": 1},
            "state": {"step": [1, None]},
            "messages": {
                "update": {"where": {"id": "1"}, "data": {"calls": JsonNull, "origins": DbNull}},
                "update_many": {"where": {"position": {"gt": 1}}, "data": {"calls": Json(None)}},
                "upsert": {
                    "where": {"id": "1"},
                    "create": {"position": 1, "role": "user", "content": "", "thread": {"connect": {"id": "1"}}},
                    "update": {"content": ""},
                },
                "delete_many": {"role": {"in": ["tool"]}},
            },
            "user": {"disconnect": True},
        },
        {"id": "1"},
    )
    await db.run.update({"last_sequence": {"increment": "1"}}, {"id": "1"})  # E: reportArgumentType
    await db.run.update({"last_sequence": {"add": 1}}, {"id": "1"})  # E: reportArgumentType
    await db.run.update({"tenant": {"disconnect": True}}, {"id": "1"})  # E: reportArgumentType
    await db.run.update({"messages": {"update_many": {"data": {}}}}, {"id": "1"})  # E: reportArgumentType
    await db.tag.update({"name": None}, {"id": "1"})  # E: reportArgumentType
    await db.tag.update({"name": "b"}, {"nme": "b"})  # E: reportArgumentType
    await db.tag.upsert({"name": "b"}, {"create": {"name": "b"}})  # E: reportArgumentType
    await db.tag.update_many({"documents": {}}, {})  # E: reportArgumentType
    await db.tag.delete_many({"nam": "b"})  # E: reportArgumentType


async def together(db: Prisma) -> None:
    async with db.tx(isolation="Serializable", timeout=10) as tx:
        assert_type(tx, Prisma)
    async with db.batch_() as batch:
        batch.tag.create({"name": "a"})
        batch.tag.create({"nam": "a"})  # E: reportArgumentType
        batch.tag.find_many()  # E: reportAttributeAccessIssue, reportUnknownMemberType
    async with db.tx(isolation="Serialisable"):  # E: reportArgumentType
        pass

    async def work(tx: Prisma) -> Tag:
        return await tx.tag.create({"name": "a"})

    assert_type(await serializable(db, work), Tag)
    await serializable(db, work, attempts="3")  # E: reportArgumentType
