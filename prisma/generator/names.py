"""Names that the generated code uses for the names of the schema."""

from __future__ import annotations

import builtins
import keyword
import re

from pydantic import BaseModel

from prisma.runtime.client import BasePrisma

RENAMED = {
    "notIn": "not_in",
    "startsWith": "startswith",
    "endsWith": "endswith",
    "isNot": "is_not",
    "connectOrCreate": "connect_or_create",
    "createMany": "create_many",
    "updateMany": "update_many",
    "deleteMany": "delete_many",
    "hasEvery": "has_every",
    "hasSome": "has_some",
    "isEmpty": "is_empty",
    "skipDuplicates": "skip_duplicates",
}
"""Prisma's word -> Prisma Client Python's."""

_OWN_WORDS = re.compile(
    r"(Filter|CreateNested(One|Many)Without\w+Input|Update(One|OneRequired|Many)Without\w+NestedInput"
    r"|InputEnvelope)$"
)
_NOT_AN_ATTRIBUTE = frozenset(dir(BaseModel)) | {"count_"}
_NOT_A_MEMBER = frozenset(dir(str)) | {"name", "value", "mro"}


def key(input_type: str, name: str) -> str:
    """Python's name for a key of an input type: Prisma's words as Prisma Client Python spelled them, fields as is."""
    return RENAMED.get(name, name) if _OWN_WORDS.search(input_type) else name


def attribute(field: str) -> str:
    """The attribute of a row: the field's name, with an underscore where Python or pydantic needs the name itself."""
    return f"{field}_" if keyword.iskeyword(field) or field in _NOT_AN_ATTRIBUTE else field


def member(value: str) -> str:
    """The member of an enum: the value itself, with an underscore where Python needs the name."""
    return f"{value}_" if keyword.iskeyword(value) or value in _NOT_A_MEMBER else value


def accessor(model: str) -> str:
    """The attribute of the client: `PurchaseOrder` is `db.purchaseorder`."""
    lower = model.lower()
    return f"{lower}_" if keyword.iskeyword(lower) or hasattr(BasePrisma, lower) or lower == "url" else lower


def module(model: str) -> str:
    """The module of a model: `PurchaseOrder` is in `purchase_order`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", model).lower()
    return f"{words}_" if keyword.iskeyword(words) or words in dir(builtins) or words == "shared" else words
