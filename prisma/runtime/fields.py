"""Values that plain Python has no spelling for: Json, the three nulls of a Json column, references to fields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

T_co = TypeVar("T_co", covariant=True)


class Json:
    """A value for a Json column. A dict, list, str, number or bool may be given bare; `Json(None)` is JSON's `null`."""

    __slots__ = ("data",)

    def __init__(self, data: object) -> None:
        self.data = data

    @classmethod
    def keys(cls, **data: object) -> Json:
        """`Json.keys(a=1)` is `Json({"a": 1})`."""
        return cls(data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Json) and self.data == other.data

    def __hash__(self) -> int:
        return hash(repr(self.data))

    def __repr__(self) -> str:
        return f"Json({self.data!r})"


class JsonNullKind(Enum):
    """The nulls of a Json column, which None cannot tell apart."""

    DbNull = "DbNull"
    JsonNull = "JsonNull"
    AnyNull = "AnyNull"


DbNull: Literal[JsonNullKind.DbNull] = JsonNullKind.DbNull
"""The column is NULL."""
JsonNull: Literal[JsonNullKind.JsonNull] = JsonNullKind.JsonNull
"""The column holds JSON's `null`."""
AnyNull: Literal[JsonNullKind.AnyNull] = JsonNullKind.AnyNull
"""In a filter: either of the two."""

DbNullType: TypeAlias = Literal[JsonNullKind.DbNull]
JsonNullType: TypeAlias = Literal[JsonNullKind.JsonNull]
AnyNullType: TypeAlias = Literal[JsonNullKind.AnyNull]
JsonInput: TypeAlias = Json | Mapping[str, object] | Sequence[object] | str | int | float | bool


@dataclass(frozen=True)
class FieldRef(Generic[T_co]):
    """Another field of the same model, to compare with: `{"paid_minor": {"lt": db.invoice.fields.total_minor}}`."""

    model: str
    name: str


def encode_json(value: Any) -> Any:
    """A Json value as the protocol has it; None and the nulls keep their meaning.

    Raises:
        TypeError: JSON has no such type.
        ValueError: JSON has no such number (NaN, infinity).
    """
    if value is None:
        return None
    if isinstance(value, JsonNullKind):
        return {"$type": "Enum", "value": value.value}
    if isinstance(value, FieldRef):
        return encode_ref(cast("FieldRef[Any]", value))
    data = value.data if isinstance(value, Json) else value
    return {"$type": "Json", "value": json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))}


def encode_ref(ref: FieldRef[Any]) -> dict[str, Any]:
    """A reference to a field as the protocol has it."""
    return {"$type": "FieldRef", "value": {"_ref": ref.name, "_container": ref.model}}
