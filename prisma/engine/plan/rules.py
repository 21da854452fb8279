"""What a plan demands of the records it found, and the error when they are not so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prisma.errors import DataError, UnsupportedPlanError, error_of_code

Rule = Callable[[Any], bool]

CODE_OF_IDENTIFIER = {
    "RELATION_VIOLATION": "P2014",
    "RECORDS_NOT_CONNECTED": "P2017",
    "INCOMPLETE_CONNECT_OUTPUT": "P2018",
    "MISSING_RECORD": "P2025",
    "MISSING_RELATED_RECORD": "P2025",
    "INCOMPLETE_CONNECT_INPUT": "P2025",
}
MISSING = "An operation failed because it depends on one or more records that were required but not found."


def compile_rule(rule: dict[str, Any]) -> Rule:
    """The test that a rule stands for."""
    wanted = rule.get("args")
    match rule["type"]:
        case "rowCountEq":
            return lambda value: count_of(value) == wanted
        case "rowCountNeq":
            return lambda value: count_of(value) != wanted
        case "affectedRowCountEq":
            return lambda value: value == wanted
        case "never":
            return lambda _value: False
        case other:
            raise UnsupportedPlanError(f"The plan has a rule {other!r} that this client does not know.")


def count_of(value: Any) -> int:
    """Number of records: of a list its length, else 1, and 0 for none."""
    if isinstance(value, list):
        return len(value)  # pyright: ignore[reportUnknownArgumentType]
    return 0 if value is None else 1


def compile_rules(rules: Sequence[dict[str, Any]], identifier: str, context: dict[str, Any]) -> Callable[[Any], None]:
    """A function that raises unless every rule holds."""
    tests = [compile_rule(rule) for rule in rules]
    if identifier not in CODE_OF_IDENTIFIER:
        raise UnsupportedPlanError(f"The plan has an error {identifier!r} that this client does not know.")

    def check(value: Any) -> None:
        for test in tests:
            if not test(value):
                raise violation(identifier, context, value)

    return check


def violation(identifier: str, context: dict[str, Any], value: Any) -> DataError:
    """The error of a rule that did not hold, worded as Prisma words it."""
    found = len(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
    relation = context.get("relation")
    match identifier:
        case "RELATION_VIOLATION":
            message = (
                f"The change you are trying to make would violate the required relation '{relation}' "
                f"between the `{context['modelA']}` and `{context['modelB']}` models."
            )
        case "MISSING_RECORD":
            message = f"{MISSING} No record was found for {context['operation']}."
        case "MISSING_RELATED_RECORD":
            needed = f" (needed to {context['neededFor']})" if context.get("neededFor") else ""
            message = (
                f"{MISSING} No '{context['model']}' record{needed} was found for {context['operation']} on "
                f"{context['relationType']} relation '{relation}'."
            )
        case "INCOMPLETE_CONNECT_INPUT":
            message = f"{MISSING} Expected {context['expectedRows']} records to be connected, found only {found}."
        case "INCOMPLETE_CONNECT_OUTPUT":
            message = (
                f"The required connected records were not found. Expected {context['expectedRows']} records to be "
                f"connected after connect operation on {context['relationType']} relation '{relation}', found {found}."
            )
        case _:
            message = (
                f"The records for relation `{relation}` between the `{context['parent']}` and `{context['child']}` "
                "models are not connected."
            )
    return error_of_code(CODE_OF_IDENTIFIER[identifier], message, meta=context)
