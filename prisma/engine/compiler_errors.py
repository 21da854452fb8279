"""What the query compiler finds wrong with an operation, put so that a person can mend it.

The compiler answers with a `kind`, the path to the place and what would have been possible there. Code P2009 is an
operation that does not fit the schema, P2012 a missing value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from prisma.engine.wasm.host import UNDEFINED
from prisma.errors import (
    DataError,
    EngineError,
    FieldNotFoundError,
    InputError,
    MissingRequiredValueError,
    error_of_code,
)

Details = Mapping[str, Any]


def compile_error(thrown: Any) -> Exception:
    """The error for what the compiler threw: `{message, code, meta}` for an operation that is wrong."""
    if not isinstance(thrown, dict) or "message" not in thrown:
        return EngineError(f"The query compiler failed: {thrown}")
    message, code = str(thrown["message"]), thrown.get("code")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportUnknownVariableType]
    if code in {None, UNDEFINED}:
        return EngineError(f"The query compiler failed: {message}")
    meta: Any = _plain(thrown.get("meta"))  # pyright: ignore[reportUnknownMemberType]
    if code in {"P2009", "P2012"} and isinstance(meta, dict):
        return validation_error(meta, message)  # pyright: ignore[reportUnknownArgumentType]
    return error_of_code(str(code), message, meta=meta if isinstance(meta, dict) else {})  # pyright: ignore[reportUnknownArgumentType]


def validation_error(meta: Details, message: str) -> DataError:
    """An error that names the place, what is wrong with it, and what is near to what was given."""
    if meta.get("kind") == "Union":
        # Each branch of a union tells why it does not fit; the one that got furthest into the operation says most.
        return validation_error(max(_branches(meta), key=_depth), message)
    kind = str(meta.get("kind"))
    explain = EXPLAIN.get(kind)
    place = _place(meta)
    text = f"{kind} at {place}: {explain(meta) if explain else message}" if place else f"{kind}: {message}"
    kind_of_error = ERROR_OF_KIND.get(kind, InputError)
    path = [str(step) for step in _list(meta, "argumentPath") or _list(meta, "selectionPath")]
    return kind_of_error(text, meta={**meta, "path": path}, fields=path[-1:])


def _branches(meta: Details) -> list[Details]:
    found: list[Details] = []
    for error in _list(meta, "errors"):
        found += _branches(error) if error.get("kind") == "Union" else [error]
    return found or [{"kind": "Union"}]


def _depth(meta: Details) -> tuple[int, int]:
    """How deep the place is, then how well the branch knows it: a wrong name says more than a wrong type."""
    kinds = ["InvalidArgumentType", "RequiredArgumentMissing", "InvalidArgumentValue", "UnknownArgument"]
    kind = meta.get("kind")
    rank = kinds.index(kind) if kind in kinds else 3
    return len(_list(meta, "argumentPath")) + len(_list(meta, "selectionPath")), rank


def _place(meta: Details) -> str:
    selection = [str(step) for step in _list(meta, "selectionPath")]
    arguments = [str(step) for step in _list(meta, "argumentPath")]
    return ".".join(selection + arguments)


def _unknown_argument(meta: Details) -> str:
    name = str(_last(meta, "argumentPath"))
    allowed = [str(argument["name"]) for argument in _list(meta, "arguments")]
    return f"there is no argument {name!r}{_near(name, allowed)}"


def _unknown_input_field(meta: Details) -> str:
    name = str(_last(meta, "argumentPath"))
    kind: Details = meta.get("inputType") or {}
    allowed = [str(field["name"]) for field in _list(kind, "fields")]
    return f"{kind.get('name', 'the input')} has no field {name!r}{_near(name, allowed)}"


def _unknown_selection_field(meta: Details) -> str:
    name = str(_last(meta, "selectionPath"))
    kind: Details = meta.get("outputType") or {}
    allowed = [str(field["name"]) for field in _list(kind, "fields")]
    return f"{kind.get('name', 'the model')} has no field {name!r}{_near(name, allowed)}"


def _near(name: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f" (did you mean {' or '.join(repr(near) for near in close)}?)"
    return f" (known: {', '.join(names)})" if names else ""


def _required_argument_missing(meta: Details) -> str:
    kinds = " | ".join(_type_name(kind) for kind in _list(meta, "inputTypes"))
    return f"a value is required here ({kinds})" if kinds else "a value is required here"


def _invalid_argument_type(meta: Details) -> str:
    argument: Details = meta.get("argument") or {}
    wanted = " | ".join(str(name) for name in _list(argument, "typeNames"))
    return f"expected {wanted or 'another type'}, got {meta.get('inferredType', 'something else')}"


def _invalid_argument_value(meta: Details) -> str:
    argument: Details = meta.get("argument") or {}
    wanted = " | ".join(str(name) for name in _list(argument, "typeNames"))
    reason = f": {meta['underlyingError']}" if meta.get("underlyingError") else ""
    return f"the value is not a valid {wanted}{reason}"


def _wrong_number_of_fields(meta: Details) -> str:
    kind: Details = meta.get("inputType") or {}
    limits: Details = meta.get("constraints") or {}
    wanted = ", ".join(str(name) for name in _list(limits, "requiredFields"))
    wanted = wanted or ", ".join(str(field["name"]) for field in _list(kind, "fields"))
    least, most = limits.get("minFieldCount"), limits.get("maxFieldCount")
    count = "at least one" if most is None else ("exactly one" if least == most == 1 else f"{least} to {most}")
    return f"{kind.get('name', 'the input')} needs {count} of: {wanted}"


def _type_name(kind: Details) -> str:
    if kind.get("kind") == "list":
        return f"{_type_name(kind.get('elementType') or {})}[]"
    return str(kind.get("name", kind.get("kind", "?")))


def _list(details: Details, name: str) -> list[Any]:
    return list(details.get(name) or ())


def _last(details: Details, name: str) -> Any:
    return (_list(details, name) or ["?"])[-1]


def _plain(value: Any) -> Any:
    """The value without JavaScript's undefined."""
    if isinstance(value, dict):
        items = value.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return {key: _plain(item) for key, item in items if item is not UNDEFINED}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return None if value is UNDEFINED else value


EXPLAIN: Mapping[str, Callable[[Details], str]] = {
    "UnknownArgument": _unknown_argument,
    "UnknownInputField": _unknown_input_field,
    "UnknownSelectionField": _unknown_selection_field,
    "RequiredArgumentMissing": _required_argument_missing,
    "InvalidArgumentType": _invalid_argument_type,
    "InvalidArgumentValue": _invalid_argument_value,
    "TooFewFieldsGiven": _wrong_number_of_fields,
    "TooManyFieldsGiven": _wrong_number_of_fields,
    "SomeFieldsMissing": _wrong_number_of_fields,
    "EmptySelection": lambda _meta: "nothing is selected",
    "SelectionSetOnScalar": lambda _meta: "a scalar field has nothing inside to select",
    "ValueTooLarge": lambda _meta: "the number is too large for its type",
}
ERROR_OF_KIND: Mapping[str, type[InputError]] = {
    "UnknownArgument": FieldNotFoundError,
    "UnknownInputField": FieldNotFoundError,
    "UnknownSelectionField": FieldNotFoundError,
    "RequiredArgumentMissing": MissingRequiredValueError,
}
