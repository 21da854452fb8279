"""Types of arguments and results that name a thing in the world.

Each carries an `x-value` mark in its JSON schema: `"ref:customer"`, `"money"`, `"email"`. The decoder may only copy
such values from what the conversation holds, and every one of them travels with its origin.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Entity:
    """A kind of thing that has an identifier.

    `pattern` finds such identifiers in text, whole words only. `accepts`, where it is set, is what an identifier may be
    at all: wider than what can be told from other words in running text.
    """

    kind: ClassVar[str]
    pattern: ClassVar[str]
    accepts: ClassVar[str | None] = None


class Customer(Entity):
    kind = "customer"
    pattern = r"cus_[a-z0-9]+"


class Product(Entity):
    """Named by its SKU. A company may write its SKUs any way; only the usual form is found in text."""

    kind = "product"
    pattern = r"[A-Z]{2,4}-[0-9]{3,6}"
    accepts = r"[A-Za-z0-9][A-Za-z0-9._/-]*"


class Document(Entity):
    kind = "document"
    pattern = r"doc_[a-z0-9]+"


class Invoice(Entity):
    """Named by its identifier while it is a draft, and by its number too once it is issued.

    A number is our ledger's (`INV-2026-0001`) or Stripe's (`7F2A9C01-0001`, whose prefix an account may choose).
    """

    kind = "invoice"
    pattern = r"inv_[a-z0-9]+|INV-[0-9]{4}-[0-9]{4,}|[0-9A-Z]{8}-[0-9]{4,}"
    accepts = rf"{pattern}|[0-9]*[A-Z][0-9A-Z]*-[0-9]{{4,}}"


class Payment(Entity):
    kind = "payment"
    pattern = r"pay_[a-z0-9]+"


ENTITIES: tuple[type[Entity], ...] = (Customer, Product, Document, Invoice, Payment)

E = TypeVar("E", bound=Entity)


class Ref(Generic[E]):
    """The identifier of an existing `E`, copied from the conversation. A plain string on the wire.

    Not a dataclass: pydantic would take its fields for its shape and not ask it for its schema.
    """

    __slots__ = ("id",)

    def __init__(self, id: str) -> None:
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and self.id == cast("Ref[Any]", other).id

    def __hash__(self) -> int:
        return hash((Ref, self.id))

    def __repr__(self) -> str:
        return f"Ref({self.id!r})"

    def __str__(self) -> str:
        return self.id

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        entity: type[Entity] = get_args(source)[0]
        text = core_schema.str_schema(pattern=f"^({entity.accepts or entity.pattern})$", max_length=64)
        parse = core_schema.no_info_after_validator_function(cls, text)
        return core_schema.json_or_python_schema(
            json_schema=parse,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), parse]),
            serialization=core_schema.to_string_ser_schema(),
            metadata={"entity": entity},
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        entity: type[Entity] = schema.get("metadata", {})["entity"]
        return {"type": "string", "x-value": f"ref:{entity.kind}"}


EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")

Email = Annotated[
    str,
    StringConstraints(pattern=f"^{EMAIL.pattern}$", max_length=254),
    WithJsonSchema({"type": "string", "format": "email", "x-value": "email"}),
]

URL = re.compile(r"https?://[^\s<>\"'`|\\^{}]{1,2000}", re.IGNORECASE)

Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=2_048),
    WithJsonSchema({"type": "string", "format": "uri", "x-value": "url"}),
]
