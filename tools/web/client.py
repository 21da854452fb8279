"""Fetches a page from an address that strangers may have written, and goes nowhere that they should not send us.

A name is resolved once, every address it has must be public, and the connection goes to the address that was looked at:
a name that answers differently the second time (DNS rebinding) gains nothing. Each redirect is looked at like the first
address. Only GET, without cookies, credentials or a proxy; bytes, time and redirects are bounded; what comes packed is
refused, so that nothing unpacks into more than it says.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from tools.errors import TimedOut, Unavailable
from tools.web.addresses import Address, Network, is_public, parse
from tools.web.errors import AddressRefused, PageTooLarge

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_HEADERS = {
    "User-Agent": "deskclerk",
    "Accept": "text/html, text/plain, application/json",
    "Accept-Encoding": "identity",
}
_READ = ("text/", "application/json", "application/xhtml+xml", "application/xml")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_LONGEST_URL = 2_048  # characters


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What a fetch may take.

    Attributes:
        allowed: Networks that are not public and may be read all the same: a company's own pages, a test's server.
        ports: That may be connected to.
        seconds: For all of it, redirects and names included.
    """

    allowed: Sequence[Network] = ()
    ports: frozenset[int] = frozenset((80, 443))
    max_bytes: int = 2 * 1024 * 1024
    seconds: float = 15.0
    redirects: int = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it came. `url` is where it was in the end."""

    url: str
    media_type: str
    text: str


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class WebClient:
    """One for all tools. `close` it in the end.

    Args:
        resolve: For tests; else the system's resolver.
    """

    def __init__(
        self,
        limits: WebLimits = WebLimits(),
        *,
        resolve: Resolve = system_resolver,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._limits = limits
        self._resolve = resolve
        timeout = httpx.Timeout(limits.seconds, connect=min(5.0, limits.seconds))
        # No pool: a connection is only ever used for the address that was looked at for this very request.
        pool = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(
            timeout=timeout, limits=pool, trust_env=False, follow_redirects=False, transport=transport
        )

    async def fetch(self, url: str) -> Fetched:
        """The page at `url`, text only.

        Raises:
            AddressRefused: We do not go there.
            PageTooLarge: It is more than is read.
            TimedOut: It takes too long.
            Unavailable: It does not answer, or not with text.
        """
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(url)
        except TimeoutError:
            raise TimedOut(f"The page did not come within {self._limits.seconds:g} seconds.") from None
        except httpx.TimeoutException:
            raise TimedOut("The page's server does not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"The page cannot be read ({type(error).__name__}).") from None

    async def _follow(self, url: str) -> Fetched:
        for _ in range(self._limits.redirects + 1):
            target = self._checked(url)
            address = await self._address(target)
            response = await self._send(target, address)
            try:
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    return await self._read(response, str(target))
                url = str(target.join(response.headers["location"]))
            finally:
                await response.aclose()
        raise AddressRefused(f"It redirects more than {self._limits.redirects} times.")

    def _checked(self, url: str) -> httpx.URL:
        if len(url) > _LONGEST_URL:
            raise AddressRefused(f"Its address has more than {_LONGEST_URL} characters.")
        try:
            target = httpx.URL(url)
            port = target.port or {"http": 80, "https": 443}.get(target.scheme, 0)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise AddressRefused(f"{url[:80]!r} is not an address of a page.") from None
        if target.scheme not in ("http", "https") or not target.host:
            raise AddressRefused(f"{url[:80]!r} is not an http or https address.")
        if target.userinfo:
            raise AddressRefused("An address with a user name or password in it is not read.")
        if port not in self._limits.ports:
            raise AddressRefused(f"Port {port} is not read from.")
        return target.copy_with(fragment=None)

    async def _address(self, target: httpx.URL) -> Address:
        """The one that is connected to. All that the name has must be public: which of them is tried is chance."""
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            found = [parse(address) for address in await self._resolve(target.host.rstrip("."), port)]
        except (OSError, UnicodeError, ValueError):
            raise Unavailable(f"There is no server {target.host!r}.") from None
        if not found:
            raise Unavailable(f"There is no server {target.host!r}.")
        if not all(is_public(address, allowed=self._limits.allowed) for address in found):
            raise AddressRefused(f"{target.host!r} is not on the public internet.")
        return found[0]

    async def _send(self, target: httpx.URL, address: Address) -> httpx.Response:
        """Ask the checked address; the certificate is still checked against the name."""
        headers = {**_HEADERS, "Host": target.netloc.decode("ascii")}
        extensions = {"sni_hostname": target.raw_host.decode("ascii")} if target.scheme == "https" else {}
        request = self._client.build_request(
            "GET", target.copy_with(host=str(address)), headers=headers, extensions=extensions
        )
        response = await self._client.send(request, stream=True)
        self._client.cookies.clear()
        return response

    async def _read(self, response: httpx.Response, url: str) -> Fetched:
        if not response.is_success:
            raise Unavailable(f"The page's server answers with HTTP {response.status_code}.")
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not media_type.startswith(_READ):
            raise Unavailable(f"The page is {media_type[:80] or 'of no kind that is said'!r}, not text.")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise PageTooLarge("The page comes packed although it was asked for as it is.")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise PageTooLarge(f"The page has more than {self._limits.max_bytes:,} bytes.")
        return Fetched(url, media_type, _decoded(bytes(body), response.charset_encoding))

    async def close(self) -> None:
        """Give its connections back."""
        await self._client.aclose()


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:  # a charset that Python does not know
        return body.decode("utf-8", "replace")
