"""What a request is, and what it must leave behind. The list is `requests.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.principal import Role

REQUESTS = Path(__file__).with_name("requests.yaml")

Kind = Literal["lookup", "by_hand", "order", "bad_order", "issue", "payment", "refusal", "turns", "ambiguous"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewInvoice(Part):
    """An invoice that was not there before. What is not said may be anything."""

    customer: str
    status: Literal["draft", "issued", "paid"]
    lines: Annotated[dict[str, str] | None, Field(description="Quantity by SKU.")] = None
    total: Annotated[str | None, Field(description="Tax included, like 320.00 EUR.")] = None
    order: Annotated[str | None, Field(description="The customer's number of the order that it invoices.")] = None
    paid: Annotated[str | None, Field(description="What was paid of it, like 320.00 EUR; nothing if not said.")] = None


class Expected(Part):
    """The difference between before and after. What is not said must be as it was before."""

    invoices: list[NewInvoice] = []
    status: Annotated[dict[str, str], Field(description="New status by the id of an invoice that was there.")] = {}
    paid: Annotated[dict[str, str], Field(description="Amount newly paid, by the same ids.")] = {}
    calls: Annotated[
        list[dict[str, dict[str, Any]]],
        Field(description="Calls that must have succeeded, by tool, with some of their arguments."),
    ] = []
    approvals: Annotated[int | None, Field(description="How often a person must have been asked.")] = None


class Request(Part):
    """One request, of one turn or more."""

    name: str
    kind: Kind
    say: Annotated[list[str], Field(min_length=1)]
    attach: Annotated[list[str], Field(description="Files of tools/samples/orders, attached to the first turn.")] = []
    decide: Literal["approve", "reject"] = "approve"
    role: Role = "admin"
    expect: Expected = Expected()


def load(path: Path = REQUESTS, *, only: Sequence[str] = ()) -> list[Request]:
    """The requests in `path`, all or those whose name or kind is in `only`.

    Raises:
        ValueError: Two have one name, or `only` names none of them.
    """
    data = cast("list[Any]", yaml.safe_load(path.read_text("utf-8")))
    requests = [Request.model_validate(entry) for entry in data]
    names = [request.name for request in requests]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path.name}: more than one request is called {', '.join(sorted(twice))}")
    if strange := set(only) - {*names, *(request.kind for request in requests)}:
        raise ValueError(f"{path.name} has no request called {', '.join(sorted(strange))}")
    return [request for request in requests if not only or {request.name, request.kind} & set(only)]
