"""What each documented answer means: asked again or not, and what the call says in the end.

Source: https://docs.stripe.com/api/errors, https://docs.stripe.com/error-low-level, https://docs.stripe.com/rate-limits
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import respx

from tools.errors import Conflict, OutcomeUnknown, PaymentDeclined, ToolError, Unavailable
from tools.invoicing.stripe import StripeClient
from tools.invoicing.stripe import errors as stripe_errors
from tools.invoicing.stripe.client import ATTEMPTS
from tools.invoicing.stripe.errors import (
    Busy,
    Declined,
    KeyReused,
    NotSent,
    Refused,
    StripeError,
    Unclear,
    told,
)

BASE = "https://api.stripe.test"
POST = f"{BASE}/v1/invoices/in_1/pay"
GET = f"{BASE}/v1/invoices/in_1"
SECRET = "sk_test_never_shown"

Answer = httpx.Response | Exception


@pytest_asyncio.fixture
async def client() -> AsyncGenerator[StripeClient]:
    made = StripeClient(SECRET, base=f"{BASE}/", first_wait=0.0)
    yield made
    await made.close()


@pytest.fixture
def mock() -> Any:
    with respx.mock(assert_all_called=False) as router:
        yield router


def refusal(status: int, type: str, message: str = "No.", **fields: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"type": type, "message": message, **fields}})


async def asked(client: StripeClient, mock: Any, *answers: Answer) -> tuple[object, int]:
    """What a POST that is answered so comes to, and how often it was asked."""
    route = mock.post(POST).mock(side_effect=[*answers, *[answers[-1]] * ATTEMPTS])
    try:
        return (await client.post("/v1/invoices/in_1/pay", {}, key="k")).body, route.call_count
    except StripeError as error:
        return error, route.call_count


def in_words(error: object, *, begun: bool = False) -> ToolError:
    assert isinstance(error, StripeError)
    return told(error, begun=begun)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(400, "invalid_request_error", code="parameter_missing"), Refused, Conflict),
        (refusal(400, "idempotency_error"), KeyReused, Conflict),
        (refusal(401, "invalid_request_error"), Refused, Unavailable),
        (
            refusal(402, "card_error", code="card_declined", decline_code="insufficient_funds"),
            Declined,
            PaymentDeclined,
        ),
        (refusal(402, "card_error", code="card_declined", decline_code="generic_decline"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="card_declined", decline_code="lost_card"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="card_declined", decline_code="do_not_honor"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="expired_card"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="incorrect_cvc"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="processing_error"), Declined, PaymentDeclined),
        (refusal(402, "card_error", code="authentication_required"), Declined, PaymentDeclined),
        (refusal(402, "invalid_request_error"), Declined, PaymentDeclined),
        (refusal(403, "invalid_request_error"), Refused, Unavailable),
        (refusal(404, "invalid_request_error", code="resource_missing"), Refused, Conflict),
        (refusal(424, "invalid_request_error"), Refused, Conflict),
        (httpx.Response(404, text="<html>nginx</html>"), Refused, Conflict),
        (httpx.Response(301, headers={"Location": "https://elsewhere.test"}), Refused, Conflict),
    ],
)
async def test_a_no_is_final_and_never_asked_again(
    answer: Answer, kind: type[StripeError], code: type[ToolError], client: StripeClient, mock: Any
):
    error, count = await asked(client, mock, answer)
    assert (type(error), count, type(in_words(error))) == (kind, 1, code)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_no_to_the_key_does_not_say_what_an_earlier_attempt_did(status: int, client: StripeClient, mock: Any):
    error, _ = await asked(client, mock, refusal(status, "invalid_request_error", f"Bad key {SECRET}"))
    assert isinstance(in_words(error, begun=True), OutcomeUnknown)
    assert SECRET not in in_words(error).message


async def test_a_decline_says_the_banks_reason(client: StripeClient, mock: Any):
    answer = refusal(402, "card_error", "Your card has expired.", code="card_declined", decline_code="expired_card")
    error, _ = await asked(client, mock, answer)
    assert in_words(error).code == "payment_declined"
    assert in_words(error).message == "The payment was declined (expired_card): Your card has expired."


@pytest.mark.parametrize(
    "answer",
    [
        refusal(409, "idempotency_error", code="idempotency_key_in_use"),
        refusal(500, "api_error"),
        httpx.Response(500, text="oops"),
        httpx.Response(502, text="<html>"),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=["not", "an", "object"]),
        httpx.ReadTimeout("late"),
        httpx.WriteTimeout("late"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("garbage"),
        httpx.DecodingError("not gzip"),
    ],
)
async def test_no_answer_is_asked_for_again_with_the_same_key_and_then_unclear(
    answer: Answer, client: StripeClient, mock: Any
):
    error, count = await asked(client, mock, answer)
    assert (type(error), count) == (Unclear, ATTEMPTS)
    assert {call.request.headers["idempotency-key"] for call in mock.calls} == {"k"}
    assert isinstance(in_words(error, begun=True), OutcomeUnknown)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (refusal(500, "api_error"), True),
        (httpx.Response(500, text="a proxy's"), False),
        (httpx.Response(503), False),
        (refusal(409, "idempotency_error"), False),
        (httpx.ReadTimeout("late"), False),
    ],
)
async def test_only_stripes_own_500_says_that_the_request_is_over(
    answer: Answer, ended: bool, client: StripeClient, mock: Any
):
    error, _ = await asked(client, mock, answer)
    assert isinstance(error, Unclear)
    assert error.ended is ended


@pytest.mark.parametrize("headers", [{"Idempotent-Replayed": "true"}, {"Stripe-Should-Retry": "false"}])
async def test_an_answer_that_will_not_change_is_not_asked_for_again(
    headers: dict[str, str], client: StripeClient, mock: Any
):
    answer = httpx.Response(500, json={"error": {"type": "api_error", "message": "!"}}, headers=headers)
    error, count = await asked(client, mock, answer)
    assert (type(error), count) == (Unclear, 1)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.PoolTimeout("busy"),
        httpx.ProxyError("no"),
    ],
)
async def test_what_was_not_sent_did_nothing(answer: Answer, client: StripeClient, mock: Any):
    error, count = await asked(client, mock, answer)
    assert (type(error), count, type(in_words(error))) == (NotSent, ATTEMPTS, Unavailable)


async def test_too_many_requests_are_asked_again_after_the_time_that_is_asked_for(client: StripeClient, mock: Any):
    busy = httpx.Response(429, json={"error": {"type": "invalid_request_error", "code": "rate_limit"}})
    soon = httpx.Response(429, headers={"Retry-After": "0"}, json={"error": {"code": "lock_timeout"}})
    assert await asked(client, mock, busy, soon, httpx.Response(200, json={"id": "in_1"})) == ({"id": "in_1"}, 3)


@pytest.mark.parametrize(("headers", "count"), [({}, ATTEMPTS), ({"Retry-After": "60"}, 1), ({"Retry-After": "x"}, 3)])
async def test_too_many_requests_for_too_long_did_nothing(
    headers: dict[str, str], count: int, client: StripeClient, mock: Any
):
    error, times = await asked(client, mock, httpx.Response(429, headers=headers))
    assert (type(error), times, type(in_words(error))) == (Busy, count, Unavailable)


@pytest.mark.parametrize("last", [httpx.ConnectError("refused"), httpx.Response(429)])
async def test_an_attempt_without_an_answer_is_not_forgotten(last: Answer, client: StripeClient, mock: Any):
    error, _ = await asked(client, mock, httpx.ReadTimeout("late"), last)
    assert isinstance(error, Unclear)


async def test_a_no_after_an_attempt_without_an_answer_is_a_no(client: StripeClient, mock: Any):
    error, count = await asked(client, mock, httpx.ReadTimeout("late"), refusal(402, "card_error"))
    assert (type(error), count) == (Declined, 2)


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("refused"), httpx.ReadTimeout("late"), httpx.Response(500), httpx.Response(429)]
)
async def test_reading_is_asked_again_whatever_happened(answer: Answer, client: StripeClient, mock: Any):
    mock.get(GET).mock(side_effect=[answer, httpx.Response(200, json={"id": "in_1"})])
    assert await client.get("/v1/invoices/in_1") == {"id": "in_1"}
    assert not any("idempotency-key" in call.request.headers for call in mock.calls)


@pytest.mark.parametrize("answer", [refusal(404, "invalid_request_error"), httpx.Response(200, json={"deleted": True})])
async def test_what_is_gone_is_not_found(answer: httpx.Response, client: StripeClient, mock: Any):
    mock.get(GET).mock(return_value=answer)
    assert await client.find("/v1/invoices/in_1") is None
    mock.delete(GET).mock(return_value=answer)
    await client.delete("/v1/invoices/in_1")


async def test_a_list_is_read_page_by_page(client: StripeClient, mock: Any):
    pages = [
        {"data": [{"id": "in_3"}, {"id": "in_2"}], "has_more": True},
        {"data": [{"id": "in_1"}], "has_more": False},
    ]
    route = mock.get(f"{BASE}/v1/invoices").mock(side_effect=[httpx.Response(200, json=page) for page in pages])
    found = [each["id"] async for each in client.every("/v1/invoices", customer="cus_1")]
    assert found == ["in_3", "in_2", "in_1"]
    assert [call.request.url.params.get("starting_after") for call in route.calls] == [None, "in_2"]


def transport_errors(root: type[httpx.HTTPError]) -> list[type[httpx.HTTPError]]:
    children = root.__subclasses__()
    return [each for child in children for each in transport_errors(child)] if children else [root]


@pytest.mark.parametrize("error", transport_errors(httpx.TransportError))
async def test_every_exception_of_httpx_is_mapped(error: type[httpx.TransportError], client: StripeClient, mock: Any):
    raised, _ = await asked(client, mock, error("x"))
    assert isinstance(raised, NotSent | Unclear)


def test_every_error_is_drawn_in_the_tree():
    assert stripe_errors.__doc__
    kinds = [StripeError, *StripeError.__subclasses__(), *Refused.__subclasses__()]
    assert all(kind.__name__ in str(stripe_errors.__doc__) for kind in kinds)
