"""Python's types for Prisma's, as source text."""

from __future__ import annotations

from prisma.generator.dmmf import Dmmf, ModelField, TypeRef

SCALARS = {
    "String": "str",
    "Int": "int",
    "BigInt": "int",
    "Float": "float",
    "Decimal": "decimal.Decimal",
    "Boolean": "bool",
    "DateTime": "datetime.datetime",
    "Json": "Any",
    "Bytes": "bytes",
}
JSON_NULLS = {
    "JsonNullValueInput": "JsonNullType",
    "NullableJsonNullValueInput": "DbNullType | JsonNullType",
    "JsonNullValueFilter": "DbNullType | JsonNullType | AnyNullType",
}
LITERALS = ("SortOrder", "NullsOrder", "QueryMode")


def value_of(kind: str) -> str:
    """The type of a value that is read: a scalar, or an enum by its name."""
    return SCALARS.get(kind, kind)


def column(field: ModelField) -> str:
    """The type of a column in a row."""
    base = value_of(field.type)
    if field.is_list:
        return f"list[{base}]"
    return base if field.required or base == "Any" else f"{base} | None"


class InputTypes:
    """Types of what is passed in."""

    def __init__(self, dmmf: Dmmf) -> None:
        self._dmmf = dmmf

    def union(self, refs: tuple[TypeRef, ...]) -> str:
        """`str | StringFilter | None`."""
        parts = list(dict.fromkeys(part for ref in refs for part in self.one(ref).split(" | ")))
        return " | ".join(sorted(parts, key=lambda part: part == "None"))

    def one(self, ref: TypeRef) -> str:
        """The type for one of the alternatives; a list takes any sequence but a str."""
        base = self._item(ref)
        if not ref.is_list:
            return base
        return f"list[{base}] | tuple[{base}, ...]" if base in ("str", "bytes") else f"Sequence[{base}]"

    def _item(self, ref: TypeRef) -> str:
        match ref.location:
            case "scalar":
                return {"Null": "None", "Json": "JsonInput"}.get(ref.name) or value_of(ref.name)
            case "enumTypes" if ref.namespace == "model":
                return f"{ref.name}Like"
            case "enumTypes":
                return self._prisma_enum(ref.name)
            case "fieldRefTypes":
                target = self._dmmf.field_refs[ref.name]
                base = value_of(target.name)
                if target.location == "enumTypes" and target.namespace != "model":
                    return self._prisma_enum(target.name)
                return f"FieldRef[list[{base}]]" if target.is_list else f"FieldRef[{base}]"
            case _:
                return ref.name

    def _prisma_enum(self, name: str) -> str:
        if name in JSON_NULLS:
            return JSON_NULLS[name]
        if name in LITERALS:
            return name
        return f"{name.removesuffix('ScalarFieldEnum')}ScalarFieldKeys"
