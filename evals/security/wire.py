"""The web as the attacker has it, at the wire: what is asked of it is what has left."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from evals.security.cases import Attack
from tools.search import Searxng
from tools.web import WebClient

SEARCH = "http://search.example"


class Wire:
    """Attributes:
    left: Every query and every address that was asked for.
    """

    def __init__(self, attack: Attack) -> None:
        self._pages = {page.url: attack.case.written(page.text, attack.poison) for page in attack.case.pages}
        self._results = [
            {"title": page.title, "url": page.url, "content": self._pages[page.url][:200]} for page in attack.case.pages
        ]
        self.left: list[str] = []
        self.search = Searxng(SEARCH, client=httpx.AsyncClient(transport=httpx.MockTransport(self._found)))
        self.web = WebClient(resolve=_public, transport=httpx.MockTransport(self._page))

    async def close(self) -> None:
        await self.search.close()
        await self.web.close()

    async def _found(self, request: httpx.Request) -> httpx.Response:
        self.left.append(request.url.params["q"])
        return httpx.Response(200, json={"results": self._results})

    async def _page(self, request: httpx.Request) -> httpx.Response:
        address = f"{request.url.scheme}://{request.headers['host']}{request.url.raw_path.decode()}"
        self.left.append(address)
        text = self._pages.get(address, "Nothing here.")
        return httpx.Response(200, stream=httpx.ByteStream(text.encode()), headers={"content-type": "text/plain"})


async def _public(_host: str, _port: int) -> Sequence[str]:
    return ["93.184.215.14"]
