from __future__ import annotations

import asyncio
import re
from typing import Annotated

from pydantic import BaseModel, Field

from tools.context import ToolContext
from tools.documents.html_text import html_to_text
from tools.documents.limits import MAX_HTML_CHARACTERS
from tools.registry import tool
from tools.values import Url

MAX_SHOWN = 4_000  # characters of text; a small model reads about 90 tokens a second
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,500})", re.IGNORECASE)


class ReadWebPage(BaseModel):
    """Arguments of `read_web_page`."""

    url: Annotated[Url, Field(description="Address of a page that a search found or the user named.")]


class WebPage(BaseModel):
    """A page on the web; its text was written by strangers. `more_characters` were left out here."""

    url: str
    title: str | None = None
    text: str
    more_characters: int = 0


@tool(effect="read", timeout=25.0, results="web", needs=("search", "web"), egress="url")
async def read_web_page(args: ReadWebPage, ctx: ToolContext) -> WebPage:
    """Read a page on the web that a search found or the user named."""
    assert ctx.web is not None  # `needs`: it is not offered otherwise
    page = await ctx.web.fetch(args.url)
    title = None
    text = page.text
    if page.media_type in ("text/html", "application/xhtml+xml"):
        found = _TITLE.search(text[:20_000])
        title = " ".join(found[1].split()) if found is not None else None
        text = await asyncio.to_thread(html_to_text, text[:MAX_HTML_CHARACTERS])
    return WebPage(url=page.url, title=title, text=text[:MAX_SHOWN], more_characters=max(len(text) - MAX_SHOWN, 0))
