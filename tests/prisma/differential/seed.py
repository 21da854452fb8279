"""What the tables hold before each example. Ids are small, so that generated operations meet them."""

from __future__ import annotations

from typing import Any

from prisma.migrate.urls import Provider
from tests.prisma.differential.operations import Json, tagged

DAY = tagged("DateTime", "2020-01-01T00:00:00.000Z")


def _create(model: str, **data: Any) -> Json:
    return {"model": model, "action": "create", "args": {"data": data}}


def seed(provider: Provider) -> list[Json]:
    scalars: Json = {
        "optString": "b",
        "optInt": 1,
        "optBig": tagged("BigInt", "9007199254740993"),
        "optFloat": 1.5,
        "optDecimal": tagged("Decimal", "12345.678"),
        "optFlag": True,
        "optAt": tagged("DateTime", "2021-06-15T12:30:00.120Z"),
        "optJson": tagged("Json", '{"a": 1, "b": [1, "x"]}'),
        "optBytes": tagged("Bytes", "AQID"),
        "optColour": "BLUE",
    }
    lists: Json = {
        "strings": ["a", "b"],
        "ints": [1, 2],
        "bigs": [tagged("BigInt", "9007199254740993")],
        "floats": [1.5],
        "decimals": [tagged("Decimal", "1.5")],
        "flags": [True, False],
        "ats": [DAY],
        "colours": ["RED", "BLUE"],
        "jsons": [tagged("Json", '{"a": 1}')],
        "byteses": [tagged("Bytes", "AQID")],
    }
    return [
        _create("Scalars", id=1, json=tagged("Json", "{}"), **scalars, **(lists if provider == "postgresql" else {})),
        _create("Scalars", id=2, string="a", int=2, at=DAY, json=tagged("Null", "JsonNull")),
        _create(
            "Scalars",
            id=3,
            json=tagged("Json", '"s"'),
            string="A",
            colour="BLUE",
            optString="a",
            optJson=tagged("Null", "JsonNull"),
        ),
        _create("User", id=1, email="a", name="a", age=1, updatedAt=DAY),
        _create("User", id=2, email="b", name="a", age=2, managerId=1, balance=tagged("BigInt", "2"), updatedAt=DAY),
        _create("User", id=3, email="c", name=None, managerId=2, colour="BLUE", updatedAt=DAY),
        _create("User", id=4, email="é", name="x_y", managerId=1, updatedAt=DAY),
        _create("Profile", id=1, bio="a", userId=1),
        _create("Profile", id=2, bio="b", userId=2),
        _create("Post", id=1, title="a", views=1, rating=1.5, authorId=1),
        _create("Post", id=2, title="b", views=2, authorId=1, reviewerId=2, published=True),
        _create("Post", id=3, title="a", views=3, authorId=2, reviewerId=2, rating=-2.25),
        _create("Post", id=4, title="A", views=3, authorId=3, published=True),
        _create("Tag", id=1, name="a", posts={"connect": [{"id": 1}, {"id": 2}]}),
        _create("Tag", id=2, name="b", posts={"connect": {"id": 1}}),
        _create("Tag", id=3, name="c"),
        _create("Seat", row=1, number=1, holderId=1),
        _create("Seat", row=1, number=2, price=tagged("Decimal", "1.5"), holderId=2),
        _create("Seat", row=2, number=1, price=tagged("Decimal", "-0.01")),
        _create("Ticket", id="a", kind="a", code=1, seatRow=1, seatNumber=1),
        _create("Ticket", id="b", kind="a", code=2, seatRow=1, seatNumber=2),
        _create("Ticket", id="c", kind="b", code=1),
    ]
