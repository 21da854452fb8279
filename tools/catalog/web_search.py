from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.registry import tool
from tools.values import URL, Url

MAX_RESULTS = 5
MAX_TITLE = 120  # characters
MAX_SNIPPET = 300  # characters


class WebSearch(BaseModel):
    """Arguments of `web_search`."""

    query: Annotated[str, Field(min_length=2, max_length=200, description="What to look for, in a few words.")]


class Page(BaseModel):
    """A page on the web; its text was written by strangers."""

    title: str
    url: Url
    snippet: str


class Pages(BaseModel):
    """Best first."""

    results: list[Page]


@tool(effect="read", timeout=30.0, results="web", needs=("search",))
async def web_search(args: WebSearch, ctx: ToolContext) -> Pages:
    """Search the web for facts that our records do not hold."""
    assert ctx.search is not None  # `needs`: it is not offered otherwise
    found = await ctx.search.search(args.query, limit=MAX_RESULTS)
    return Pages(
        results=[
            Page(title=_short(each.title, MAX_TITLE), url=each.url, snippet=_short(each.snippet, MAX_SNIPPET))
            for each in found
            if URL.fullmatch(each.url)
        ]
    )


def _short(text: str, longest: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= longest else f"{words[: longest - 3]}..."
