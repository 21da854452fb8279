"""What may come of asking Stripe, and what a tool says of it.

* StripeError
  x NotSent              nobody was reached: nothing happened
  x Busy                 429: Stripe refused to begin: nothing happened
  x Refused              4xx: Stripe said no: what was asked for did not happen
    + Declined           the customer's bank or card says no
    + KeyReused          this idempotency key was used before, with other parameters
  x Unclear              no answer, one that cannot be read, 409 or 5xx: it may have happened, or yet happen

Source: https://docs.stripe.com/error-low-level, https://docs.stripe.com/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.errors import Conflict, OutcomeUnknown, PaymentDeclined, ToolError, Unavailable

_LONGEST = 300  # characters of Stripe's own words that are passed on
_OUR_FAULT = {
    401: "Stripe does not accept the key: see STRIPE_API_KEY.",
    403: "Stripe does not allow this to the key in STRIPE_API_KEY.",
}


class StripeError(Exception):
    """Stripe did not do as asked, or did not say so."""


class NotSent(StripeError):
    """Nobody was reached: nothing happened."""


class Busy(StripeError):
    """Stripe refused to begin: nothing happened. `retry_after`: seconds that it asks for, where it does."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Detail:
    """The `error` object of an answer; what is not there is empty."""

    type: str = ""
    code: str = ""
    decline_code: str = ""
    message: str = ""


class Refused(StripeError):
    """Stripe said no: what was asked for did not happen."""

    def __init__(self, status: int, detail: Detail) -> None:
        super().__init__(f"{status} {detail.type} {detail.code}: {detail.message}")
        self.status = status
        self.detail = detail

    @property
    def of_the_key(self) -> bool:
        """It is about who asks, so it says nothing of what was asked for before."""
        return self.status in _OUR_FAULT


class Declined(Refused):
    """The customer's bank or card says no."""


class KeyReused(Refused):
    """This idempotency key was used before, with other parameters."""


class Unclear(StripeError):
    """It may have happened, or yet happen.

    Attributes:
        ended: Stripe's own 500, which it keeps and gives again for the key: that request is over, whatever it did.
        repeat: Whether asking again with the same key can bring another answer.
    """

    def __init__(self, message: str, *, ended: bool = False, repeat: bool = True) -> None:
        super().__init__(message)
        self.ended = ended
        self.repeat = repeat


def told(error: StripeError, *, begun: bool) -> ToolError:
    """What the tool says.

    Args:
        begun: The effect may have taken place, as far as is known without this error.
    """
    if isinstance(error, Refused):
        if begun and error.of_the_key:
            return OutcomeUnknown(f"Stripe may have done it. {_OUR_FAULT[error.status]}")
        return _refusal(error)
    if begun:
        return OutcomeUnknown("Stripe may or may not have done it, and does not tell now.")
    if isinstance(error, Busy):
        return Unavailable("Stripe takes no more requests at this moment; nothing was done.")
    return Unavailable("Stripe cannot be reached; nothing was done.")


def _refusal(error: Refused) -> ToolError:
    words = error.detail.message[:_LONGEST] or f"status {error.status}"
    if isinstance(error, Declined):
        reason = error.detail.decline_code or error.detail.code or "declined"
        return PaymentDeclined(f"The payment was declined ({reason}): {words}")
    if error.of_the_key:
        return Unavailable(_OUR_FAULT[error.status])
    return Conflict(f"Stripe refuses it: {words}")
