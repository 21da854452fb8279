"""Money as people write it on the outside, integers within.

The model and the wire see `"320.00 EUR"`: one value, so a currency cannot part from its amount. The database and every
calculation see minor units. No floats anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

# ISO 4217: decimals of the minor unit where they are not 2.
_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
# Every currency that is money today. Source: ISO 4217, list one, without funds, metals and test codes.
ISO_4217 = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()
)
_WIRE = re.compile(r"(-?\d+(?:\.\d+)?) ([A-Z]{3})")


def decimals(currency: str) -> int:
    """Digits after the decimal point in `currency`. Source: ISO 4217, list one."""
    return _DECIMALS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        places = decimals(self.currency)
        return f"{Decimal(self.minor).scaleb(-places):.{places}f} {self.currency}"

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Money:
        """Money from an amount in major units, rounded half up to the currency's minor unit.

        Raises:
            ValueError: `amount` is not a number or `currency` is not three capital letters.
        """
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is not an ISO 4217 currency code like 'EUR'")
        try:
            value = Decimal(amount)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount like '320.00'") from None
        if not value.is_finite():
            raise ValueError(f"{amount!r} is not an amount like '320.00'")
        return cls(int(value.scaleb(decimals(currency)).to_integral_value(ROUND_HALF_UP)), currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """Money from its wire form.

        Raises:
            ValueError: `text` is not of the form `"320.00 EUR"`, or has more decimals than the currency.
        """
        match = _WIRE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an amount with its currency, like '320.00 EUR'")
        amount, currency = match.groups()
        if len(amount.partition(".")[2]) > decimals(currency):
            raise ValueError(f"{text!r} has more decimals than {currency} has")
        return cls.of(amount, currency)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        parse = core_schema.no_info_plain_validator_function(lambda value: cls.parse(str(value)))
        return core_schema.json_or_python_schema(
            json_schema=parse,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), parse]),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": _WIRE.pattern, "description": "Like '320.00 EUR'.", "x-value": "money"}
