"""What an effect came to, in words of ours: for the end of a run that can tell nothing else any more."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from agent.grounding.walk import Leaf, leaves, schema_of
from tools.registry import AnyTool, shown

_AMOUNTS = ("amount", "total")
_CODE = re.compile(r"[\w.:/@+-]{1,64}")  # nothing that reads like a sentence


def deed(tool: AnyTool | None, name: str, result: Any) -> str:
    """The tool's name with the identifiers, the state and the amount of its result: `issue_invoice (INV-2026-0009,
    cus_acme, issued, 320.00 EUR)`.

    Only what our own tools type as such is told: no text, no field that strangers wrote, nothing of a page or document.

    Args:
        tool: As it is now; None if there is no such tool any more.
        name: As the ledger has it.
        result: Its recorded result as JSON; None where that is not known.
    """
    if tool is None or tool.results != "record" or result is None:
        return name
    try:
        model = shown(tool.result.model_validate(result))
    except ValidationError:  # the tool has changed since
        return name
    found = leaves(model.model_dump(mode="json"), schema_of(type(model), "serialization"))
    own = [leaf for leaf in found if leaf.path == leaf.field and not leaf.others]
    references = {leaf.mark: str(leaf.value) for leaf in own if _is_reference(leaf)}  # a number is better than an id
    others = [str(leaf.value) for leaf in own if _is_state(leaf) or _is_amount(leaf)]
    told = [*references.values(), *others]
    return f"{name} ({', '.join(told)})" if told else name


def _is_reference(leaf: Leaf) -> bool:
    return (leaf.mark or "").startswith("ref:") and _CODE.fullmatch(str(leaf.value)) is not None


def _is_state(leaf: Leaf) -> bool:
    return leaf.field == "status" and "enum" in leaf.holder_schema.get("properties", {}).get("status", {})


def _is_amount(leaf: Leaf) -> bool:
    return leaf.mark == "money" and leaf.field in _AMOUNTS
