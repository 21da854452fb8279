"""How much of something: exact, in thousandths of its unit in the database, `2.5` on the wire. No floats within."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MAX_MILLI = 10**12  # a thousand million units


@dataclass(frozen=True, slots=True)
class Quantity:
    """A positive quantity in thousandths of a unit: 2500 is 2.5."""

    milli: int

    def __str__(self) -> str:
        return f"{self.decimal.normalize():f}"

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.milli).scaleb(-3)

    @classmethod
    def of(cls, value: Decimal | int | str) -> Quantity:
        """A quantity from a number.

        Raises:
            ValueError: Not a number, not above zero, more than three decimals, or beyond reason.
        """
        try:
            milli = Decimal(value).scaleb(3)
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a quantity like 10 or 2.5") from None
        if not milli.is_finite() or not 0 < milli <= MAX_MILLI:
            raise ValueError(f"{value!s} is not a quantity above 0 and up to {MAX_MILLI // 1000}")
        if milli != milli.to_integral_value():
            raise ValueError(f"{value!s} has more than three decimals")
        return cls(int(milli))

    @classmethod
    def parse(cls, value: object) -> Quantity:
        """A quantity from JSON: a number or a string that holds one. `repr` of a JSON number is what was written."""
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise ValueError(f"{value!r} is not a quantity like 10 or 2.5")
        return cls.of(repr(value) if isinstance(value, float) else value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        parse = core_schema.no_info_plain_validator_function(cls.parse)
        return core_schema.json_or_python_schema(
            json_schema=parse,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), parse]),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        if handler.mode == "serialization":
            return {"type": "string"}
        return {"type": "number", "exclusiveMinimum": 0}
