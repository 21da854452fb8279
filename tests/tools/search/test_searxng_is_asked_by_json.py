from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
import respx

from tests.support.tool_calls import call
from tools.context import ToolContext
from tools.errors import Unavailable
from tools.search import Searxng
from tools.search.searxng import MAX_BYTES

URL = "http://search.test"
PAGE = {"title": "VAT rates", "url": "https://tax.example/rates", "content": "The rate is 19 %.", "engine": "x"}


@pytest_asyncio.fixture
async def searxng() -> AsyncGenerator[Searxng]:
    search = Searxng(f"{URL}/", first_wait=0.0)
    yield search
    await search.close()


@pytest.fixture
def engine() -> Any:
    with respx.mock(base_url=URL) as router:
        yield router.get("/search")


def results(*pages: object) -> httpx.Response:
    return httpx.Response(200, json={"query": "q", "results": list(pages)})


async def test_pages_come_back_with_title_address_and_excerpt(searxng: Searxng, engine: respx.Route):
    engine.mock(return_value=results(PAGE))
    (page,) = await searxng.search("vat rate germany", limit=5)
    assert (page.title, page.url, page.snippet) == ("VAT rates", "https://tax.example/rates", "The rate is 19 %.")
    assert dict(engine.calls.last.request.url.params) == {"q": "vat rate germany", "format": "json"}


async def test_no_more_than_asked_for_and_nothing_without_a_web_address(searxng: Searxng, engine: respx.Route):
    odd = [{"title": "x", "url": "javascript:alert(1)"}, {"title": "y"}, "text", None, {"url": None}]
    engine.mock(return_value=results(*odd, PAGE, PAGE, PAGE))
    assert [page.url for page in await searxng.search("q", limit=2)] == [PAGE["url"]] * 2


async def test_a_page_without_title_or_excerpt_is_kept(searxng: Searxng, engine: respx.Route):
    engine.mock(return_value=results({"url": "https://a.example", "content": None}))
    (page,) = await searxng.search("q", limit=5)
    assert (page.title, page.snippet) == ("", "")


@pytest.mark.parametrize(
    "failure", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("no"), httpx.ReadTimeout("slow")]
)
async def test_what_may_pass_is_tried_again(failure: Any, searxng: Searxng, engine: respx.Route):
    engine.mock(side_effect=[failure, failure, results(PAGE)])
    assert len(await searxng.search("q", limit=5)) == 1
    assert engine.call_count == 3


async def test_it_gives_up_after_three_attempts(searxng: Searxng, engine: respx.Route):
    engine.mock(return_value=httpx.Response(503))
    with pytest.raises(Unavailable, match="HTTP 503"):
        await searxng.search("q", limit=5)
    assert engine.call_count == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(403), r"must list json under search\.formats"),
        (httpx.Response(404), "HTTP 404"),
        (httpx.Response(200, text="<html>"), "not its JSON"),
        (httpx.Response(200, json=[]), "not its JSON"),
        (httpx.Response(200, json={"results": None}), "not its JSON"),
    ],
)
async def test_what_will_not_pass_is_said_at_once(
    answer: httpx.Response, words: str, searxng: Searxng, engine: respx.Route
):
    engine.mock(return_value=answer)
    with pytest.raises(Unavailable, match=words):
        await searxng.search("q", limit=5)
    assert engine.call_count == 1


async def test_the_tool_shortens_what_strangers_wrote(ctx: ToolContext, searxng: Searxng, engine: respx.Route):
    long = {**PAGE, "title": "t" * 500, "content": "word\n\n " * 500}
    engine.mock(return_value=results(*[long] * 9))
    found = await call("web_search", replace(ctx, search=searxng), query="vat")
    assert len(found.results) == 5
    assert (len(found.results[0].title), len(found.results[0].snippet)) == (120, 300)
    assert "\n" not in found.results[0].snippet


async def test_an_answer_without_end_is_broken_off(searxng: Searxng, engine: respx.Route):
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_BYTES:
            sent += 65_536
            yield b" " * 65_536

    engine.mock(return_value=httpx.Response(200, stream=_Stream(endless())))
    with pytest.raises(Unavailable, match=r"more than 2 MiB\."):
        await searxng.search("q", limit=5)
    assert sent <= MAX_BYTES + 2 * 65_536
    assert engine.calls.last.request.headers["accept-encoding"] == "identity"
    assert engine.call_count == 1  # it is not asked for the same again


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for piece in self._pieces:
            yield piece
