"""What a case is: what is said, in which world, and what must have come of it.

Everything is judged by state, by calls, or by typed values of the answer; `docs/evals.md` explains each field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.principal import Role
from tools.invoicing.base import Status

Decision = Literal["approve", "reject"]
Text = Annotated[str, Field(min_length=1)]
Arguments = Mapping[str, Any]
CallPattern = Annotated[
    Mapping[str, Arguments],
    Field(
        min_length=1, max_length=1, description="A tool (`a|b`: either), and some of the arguments it is called with."
    ),
]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------ the world before


class Attachment(Part):
    """A file written in the case itself."""

    name: Text
    text: Text


class SeedCustomer(Part):
    """A further customer, or with a known `id` a change to one. `credit_limit` in major units of its currency."""

    id: Annotated[str, Field(pattern=r"^cus_[a-z0-9]+$")]
    name: str | None = None
    email: str | None = None
    tax_id: str | None = None
    street: str | None = None
    city: str | None = None
    country: str | None = None
    currency: str | None = None
    credit_limit: str | None = None
    active: bool | None = None


class SeedProduct(Part):
    """A further product, or with a known `sku` a change to one. `price` like `32.00 EUR`."""

    sku: Text
    name: str | None = None
    price: str | None = None
    tax_rate_bp: int | None = None
    active: bool | None = None


class SeedInvoice(Part):
    """A further invoice with the identifier `inv_<key>`. Numbers go on from the company's, in the order given."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
    customer: str
    status: Status = "issued"
    days_ago: Annotated[int, Field(ge=0)] = 3
    lines: Annotated[Mapping[str, int], Field(min_length=1, description="Quantity by SKU.")]
    order: str = ""


class SeedPayment(Part):
    """A part payment of an issued invoice, taken earlier."""

    invoice: str
    amount: str


class Seed(Part):
    """Changes to the demo company, made before the first word."""

    customers: Sequence[SeedCustomer] = ()
    products: Sequence[SeedProduct] = ()
    invoices: Sequence[SeedInvoice] = ()
    payments: Sequence[SeedPayment] = ()


# ------------------------------------------------------------------ the world after


class NewInvoice(Part):
    """An invoice that was not there before. What is not said may be anything, but for `paid`."""

    customer: str
    status: Literal["draft", "issued", "paid"]
    lines: Annotated[Mapping[str, str] | None, Field(description="Quantity by SKU.")] = None
    total: Annotated[str | None, Field(description="Tax included, like 320.00 EUR.")] = None
    order: Annotated[str | None, Field(description="The customer's number of the order that it invoices.")] = None
    due_days: Annotated[int | None, Field(description="Days from today until it is due.")] = None
    paid: Annotated[str | None, Field(description="What was paid of it, like 320.00 EUR; nothing if not said.")] = None


class Expected(Part):
    """The difference between before and after. What is not said must be as it was before."""

    invoices: Sequence[NewInvoice] = ()
    status: Annotated[Mapping[str, str], Field(description="New status by the id of an invoice that was there.")] = {}
    paid: Annotated[Mapping[str, str], Field(description="Amount newly paid, by the same ids.")] = {}

    @property
    def nothing(self) -> bool:
        """Nothing may change."""
        return not (self.invoices or self.status or self.paid)


class Answer(Part):
    """What the last words of a turn must be like. Alternatives of a word stand between bars: `customer|client`.

    Attributes:
        names: Values that it names and that a result of the conversation held: amounts, numbers, identifiers, names.
        mentions: Words that it must have, wherever they come from.
        omits: What it must not have.
        asks: It asks back, with these words (the candidates, or what is missing); nothing was done in that turn.
        declines: It says that something cannot or will not be done.
    """

    names: Sequence[str] = ()
    mentions: Sequence[str] = ()
    omits: Sequence[str] = ()
    asks: Annotated[Sequence[str], Field(min_length=1)] | None = None
    declines: bool = False


class Budget(Part):
    """What a try may cost. The agent's own limits hold besides."""

    calls: Annotated[int, Field(ge=0, description="Tool calls.")] = 12
    tokens: Annotated[int, Field(ge=1, description="Input and output, of all steps together.")] = 120_000
    seconds: Annotated[float, Field(gt=0, description="Working time; a shared machine may be slow.")] = 600.0


# ------------------------------------------------------------------ what an agent does


class Turn(Part):
    """What an agent does in one turn: calls one after the other, then the answer.

    `$document` is the attached document (`$document2` the second), `$draft` the invoice that was drafted last.
    """

    calls: Sequence[CallPattern] = ()
    answer: Text


Solution = Annotated[Sequence[Turn], Field(min_length=1)]


class Case(Part):
    """One case. Its name is its file's; its folder's name is its first tag."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "unnamed"
    tags: Sequence[str] = ()
    critical: Annotated[bool, Field(description="One failure of it stops a release.")] = False
    about: Annotated[str, Field(description="Why this outcome is right, where that is not plain.")] = ""

    say: Annotated[Sequence[Text], Field(min_length=1, description="What the person says, turn by turn.")]
    attach: Annotated[
        Sequence[str | Attachment],
        Field(description="Files of tools/samples/orders or evals/documents, or written here."),
    ] = ()
    role: Role = "clerk"
    decide: Annotated[
        Decision | Sequence[Decision], Field(description="What a person says to approvals; the last one goes on.")
    ] = "approve"
    seed: Seed = Seed()

    before: Annotated[Mapping[str, Status], Field(description="Invoices that must be there, with their status.")] = {}
    expect: Expected = Expected()
    calls: Annotated[Sequence[CallPattern], Field(description="Must have succeeded.")] = ()
    attempts: Annotated[Sequence[CallPattern], Field(description="Must have been made, however they ended.")] = ()
    forbidden: Annotated[Sequence[CallPattern], Field(description="Must not have been asked for.")] = ()
    order: Annotated[
        Sequence[Annotated[Sequence[str], Field(min_length=2)]],
        Field(description="Tools that succeeded in this order."),
    ] = ()
    approvals: Annotated[int | None, Field(description="How often a person must have been asked.")] = None
    refusals: Annotated[int | None, Field(description="How often policy must have refused a call.")] = None
    answer: Annotated[Answer, Field(description="Of the last turn.")] = Answer()
    answers: Annotated[Mapping[int, Answer], Field(description="Of earlier turns, counted from 1.")] = {}
    budget: Budget = Budget()

    solution: Solution
    wrong: Annotated[
        Mapping[str, Solution], Field(description="What an agent might do wrong here; each must fail the case.")
    ] = {}

    @model_validator(mode="after")
    def _turns_match(self) -> Case:
        for name, turns in {"solution": self.solution, **self.wrong}.items():
            if len(turns) != len(self.say):
                raise ValueError(f"{name} has {len(turns)} turns, and {len(self.say)} are said")
        if strange := {turn for turn in self.answers if not 1 <= turn < len(self.say)}:
            raise ValueError(f"answers are of earlier turns, and there is no such turn: {sorted(strange)}")
        return self

    @property
    def digest(self) -> str:
        """Changes with anything that decides what is tried or how it is judged."""
        kept = self.model_dump(mode="json", exclude={"about", "wrong", "tags"})
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def answer_of(self, turn: int) -> Answer:
        """What the answer of `turn`, counted from 1, must be like."""
        return self.answer if turn == len(self.say) else self.answers.get(turn, Answer())
