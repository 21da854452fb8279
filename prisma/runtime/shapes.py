"""A shape translates one dict of arguments: Python's names to Prisma's, an unknown name is an error, never ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeGuard, cast

from prisma.errors import FieldNotFoundError, InputError

Encode: TypeAlias = Callable[[Any], Any]
Keys: TypeAlias = Mapping[str, tuple[str, Encode | None]]
"""Python's name -> (Prisma's name, how to translate the value; None: as it is)."""


NOT_MAPPINGS = frozenset({str, int, float, bool, bytes, list, tuple, datetime, type(None)})


def unknown(shape: str, key: object, known: Mapping[str, Any]) -> FieldNotFoundError:
    """The error for a name that is not there, with the nearest one that is."""
    near = get_close_matches(str(key), list(known), n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(map(repr, sorted(known)))}."
    return FieldNotFoundError(f"{shape} has no {key!r}. {hint}")


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """`isinstance(value, Mapping)`, which is slow for what is not one, without asking about the common types."""
    kind = type(value)  # pyright: ignore[reportUnknownVariableType] - as unknown as the value
    return kind is dict or (kind not in NOT_MAPPINGS and isinstance(value, Mapping))


class Shape:
    """The names that one place in the arguments allows; worked out on first use, for shapes refer to each other."""

    __slots__ = ("_build", "_keys", "name")

    def __init__(self, name: str, build: Callable[[], Keys]) -> None:
        self.name = name
        self._build = build
        self._keys: Keys | None = None

    @property
    def keys(self) -> Keys:
        if self._keys is None:
            self._keys = self._build()
        return self._keys

    def __call__(self, value: Any) -> dict[str, Any]:
        """Translate a dict.

        Raises:
            FieldNotFoundError: It has a name that the shape does not.
            InputError: It is not a dict.
        """
        keys = self._keys or self.keys
        if not is_mapping(value):
            raise InputError(f"{self.name} takes a dict, not {value!r}.")
        out: dict[str, Any] = {}
        for key, given in value.items():
            known = keys.get(key)
            if known is None:
                raise unknown(self.name, key, keys)
            name, encode = known
            out[name] = given if encode is None else encode(given)
        return out


def many(encode: Encode) -> Encode:
    """For a list of what `encode` takes."""

    def encode_list(value: Any) -> list[Any]:
        if isinstance(value, (Mapping, str)) or not isinstance(value, Sequence):
            raise InputError(f"A list was expected, not {value!r}.")
        return [encode(item) for item in cast(Sequence[Any], value)]

    return encode_list


def one_or_many(encode: Encode) -> Encode:
    """For one of what `encode` takes, or a list of them."""

    def encode_either(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [encode(item) for item in cast(Sequence[Any], value)]
        return encode(value)

    return encode_either


def optional(encode: Encode) -> Encode:
    """As `encode`, and None means NULL."""

    def encode_unless_none(value: Any) -> Any:
        return None if value is None else encode(value)

    return encode_unless_none
