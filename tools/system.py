"""Where an effect takes place: in our database, or in a system outside it.

In our database the effect and the record of it are one transaction. Outside it they cannot be, so after a crash or a
lost answer nobody knows at first whether the effect took place. What then may be done depends on the system:

* within `repeatable_for` of the first attempt the call is made again with the same idempotency key, which the system
  answers with what it did at first (`ToolContext.attempt` is `again`);
* later, or where there are no such keys, the tool runs with `attempt="look_up"`: the adapter only looks for what the
  key has done, and raises `OutcomeUnknown` when it cannot tell. Then a person must look.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Protocol

Attempt = Literal["first", "again", "look_up"]

NEVER = timedelta(0)


class System(Protocol):
    """What the ledger of effects must know of an adapter."""

    @property
    def name(self) -> str:
        """For the ledger: `ledger`, `stripe`."""
        ...

    @property
    def local(self) -> bool:
        """Its effects are writes to `ToolContext.db`, and nothing else."""
        ...

    @property
    def repeatable_for(self) -> timedelta:
        """How long after a first attempt the same idempotency key may safely be sent again; `NEVER` when it may not."""
        ...
