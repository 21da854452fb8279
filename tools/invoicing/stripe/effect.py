"""One effect at Stripe, made of steps that each take place once, however often the call is made.

A step's key follows from the call's. Stripe answers a key that it knows with its first answer, even where that is a 500
that hides whether the step took place. So where an answer says nothing the state of the world is looked at:

* it took place: go on from there;
* it did not, and the request is over (Stripe's own 500): the next key of the step, `...:2`, is asked for. Where money
  moves or a number is given, the object itself can do so only once, so even a wrong guess here repeats nothing;
* neither is known: `Unclear` is raised, and the call may be made again later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.errors import Unavailable
from tools.invoicing.stripe.client import Json, Reply, StripeClient
from tools.invoicing.stripe.errors import KeyReused, Unclear
from tools.invoicing.stripe.form import Value

if TYPE_CHECKING:
    from tools.context import ToolContext

MAX_KEYS = 3  # of one step

Look = Callable[[], Awaitable[Json | None]]


@dataclass(slots=True)
class Effect:
    """Attributes:
    again: It may have been begun before, so each step is looked for before it is asked for.
    look_only: Nothing is asked for any more.
    begun: Something of it may have taken place.
    """

    client: StripeClient
    key: str
    again: bool = False
    look_only: bool = False
    begun: bool = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.again = self.again or self.look_only

    @classmethod
    def of(cls, client: StripeClient, ctx: ToolContext, *, again: bool) -> Effect:
        """The effect of this call. `again`: our records show that the call was made before."""
        return cls(
            client, ctx.idempotency_key, again=again or ctx.attempt != "first", look_only=ctx.attempt == "look_up"
        )

    async def once(self, step: str, path: str, data: Mapping[str, Value], *, done: Look) -> Json:
        """Do a step, or find it done.

        Args:
            step: Names it in the call, like `line-1`.
            done: What it made, as it is now; None where it has not taken place.

        Raises:
            StripeError: Refused, or nobody knows.
            Unavailable: It has not taken place, and `look_only`.
        """
        if self.again and (found := await done()) is not None:
            return found
        if self.look_only:
            raise Unavailable("Stripe has not done it, and is not asked to any more.")
        for number in range(1, MAX_KEYS + 1):
            try:
                reply = await self._post(path, data, f"{self.key}:{step}" + (f":{number}" if number > 1 else ""))
            except Unclear as unclear:
                if (found := await done()) is not None:
                    return found
                if not unclear.ended:
                    raise
            except KeyReused:
                if (found := await done()) is not None:
                    return found
            else:
                if not reply.replayed:
                    return reply.body
                if (found := await done()) is not None:  # it may have changed since, or be gone
                    return found
        raise Unclear(f"step {step} ended without an effect {MAX_KEYS} times")

    async def _post(self, path: str, data: Mapping[str, Value], key: str) -> Reply:
        try:
            reply = await self.client.post(path, data, key=key)
        except Unclear:
            self.begun = True
            raise
        self.begun = True
        return reply
