"""Parameters as Stripe takes them: form fields, nested by brackets. Source: https://docs.stripe.com/api"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Value = None | bool | int | str | Sequence["Value"] | Mapping[str, "Value"]


def form(values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """`{"a": {"b": True}, "c": ["x"], "d": None}` is `a[b]=true`, `c[0]=x`; always in the order given."""
    return [field for name, value in values.items() for field in _fields(name, value)]


def _fields(name: str, value: Value) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case bool():
            yield name, "true" if value else "false"
        case int() | str():
            yield name, str(value)
        case Mapping():
            for key, inner in value.items():
                yield from _fields(f"{name}[{key}]", inner)
        case _:
            for position, inner in enumerate(value):
                yield from _fields(f"{name}[{position}]", inner)
