"""Against real servers on loopback; a resolver of the test's says where a name is."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address, ip_network

import pytest

from tests.support.http_server import Answer, HttpServer, Request
from tools.errors import TimedOut, Unavailable
from tools.web import AddressRefused, PageTooLarge, WebClient, WebLimits
from tools.web.addresses import is_public

LOOPBACK = (ip_network("127.0.0.0/8"),)
PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1",
]  # fmt: skip


class Names:
    """A resolver that knows these names, each with the answers it gives in turn; the last one again and again."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.names:
            try:
                return [str(ip_address(host.strip("[]")))]
            except ValueError:
                raise OSError("no such name") from None
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def client(names: Names, port: int, *, reach_loopback: bool = True, **limits: float) -> WebClient:
    allowed = LOOPBACK if reach_loopback else ()
    return WebClient(WebLimits(allowed=allowed, ports=frozenset({port, 80}), **limits), resolve=names)  # pyright: ignore[reportArgumentType]


async def hello(request: Request) -> Answer:
    if request.path == "/in":
        return Answer(status=302, headers={"Location": "http://inside.example/secret"})
    if request.path.startswith("/loop"):
        return Answer(status=302, headers={"Location": request.path + "x"})
    if request.path == "/next":
        return Answer(status=301, headers={"Location": "/page"})
    if request.path == "/file":
        return Answer(status=302, headers={"Location": "file:///etc/passwd"})
    body = f"hello {request.headers['host']} {request.headers.get('cookie')} {request.headers.get('authorization')}"
    return Answer(body=body.encode(), content_type="text/plain; charset=utf-8", headers={"Set-Cookie": "a=b"})


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_the_public_internet_is_told(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "151.101.1.69"])
def test_what_is_public_is_told(address: str):
    assert is_public(ip_address(address))


def test_a_network_that_is_allowed_is_so_in_its_mapped_form_too():
    assert is_public(ip_address("::ffff:127.0.0.1"), allowed=LOOPBACK)


async def test_a_page_is_read_by_the_address_that_was_looked_at_and_asked_by_its_name():
    names = Names(page_example=[["127.0.0.1"]])
    async with HttpServer(hello) as server:
        web = client(names, server.port)
        page = await web.fetch(f"http://page.example:{server.port}/page#part")
        assert page.text == f"hello page.example:{server.port} None None"
        assert (page.media_type, page.url) == ("text/plain", f"http://page.example:{server.port}/page")
        again = await web.fetch(f"http://page.example:{server.port}/next")
        assert again.text.endswith("None None")  # no cookie came back
        await web.close()
    assert names.asked == ["page.example"] * 3


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:10.0.0.1"]]
)
async def test_a_name_that_leads_inside_is_refused_and_nothing_is_asked(found: list[str]):
    asked: list[str] = []

    async def note(request: Request) -> Answer:
        asked.append(request.path)
        return await hello(request)

    async with HttpServer(note) as server:
        web = client(Names(inside_example=[found]), server.port, reach_loopback=False)
        with pytest.raises(AddressRefused, match=r"'inside\.example' is not on the public internet"):
            await web.fetch(f"http://inside.example:{server.port}/")
        await web.close()
    assert asked == []


async def test_a_name_that_answers_differently_the_second_time_gains_nothing():
    """The name is asked once; had it been asked again for the connection, it would lead to a server that answers."""
    async with HttpServer(hello) as server:
        names = Names(rebinding_example=[["192.168.77.1"], ["127.0.0.1"]])
        web = client(names, server.port, seconds=1.0)
        with pytest.raises(AddressRefused):
            await web.fetch(f"http://rebinding.example:{server.port}/")
        assert names.asked == ["rebinding.example"]
        await web.close()


@pytest.mark.parametrize("path", ["/in", "/file", "/loop"])
async def test_each_redirect_is_looked_at_like_the_first_address(path: str):
    names = Names(page_example=[["127.0.0.1"]], inside_example=[["10.0.0.5"]])
    async with HttpServer(hello) as server:
        web = client(names, server.port)
        with pytest.raises(AddressRefused):
            await web.fetch(f"http://page.example:{server.port}{path}")
        await web.close()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://a.example/", "ftp://a.example/", "javascript:alert(1)",
        "http://", "//a.example",
        "",
        "http://user:pw@a.example/",
        "http://user@a.example/", "http://a.example:22/", "http://a.example:6379/",
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest/meta-data/",
        "http://0/", "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://localhost/", "http://localhost./",
        f"http://a.example/{'a' * 3000}", "http://a.example:99999/", "http://a\x00b/",
    ],
)  # fmt: skip
async def test_an_address_that_is_none_of_a_page_is_refused(url: str):
    web = WebClient()  # the system's own resolver, which knows every way to write 127.0.0.1
    with pytest.raises((AddressRefused, Unavailable)):
        await web.fetch(url)
    await web.close()


async def test_a_page_without_end_is_cut_off():
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async def answer(request: Request) -> Answer:
        return Answer(content_type="text/html", stream=endless())

    async with HttpServer(answer) as server:
        web = client(Names(), server.port, max_bytes=300_000)
        with pytest.raises(PageTooLarge, match="more than 300,000 bytes"):
            await web.fetch(f"http://127.0.0.1:{server.port}/")
        await web.close()


async def test_a_page_that_drips_ends_with_the_time():
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.05)

    async def answer(request: Request) -> Answer:
        return Answer(content_type="text/html", stream=drip())

    async with HttpServer(answer) as server:
        web = client(Names(), server.port, seconds=0.4)
        with pytest.raises(TimedOut, match=r"within 0\.4 seconds"):
            await web.fetch(f"http://127.0.0.1:{server.port}/")
        await web.close()


async def test_what_comes_packed_is_never_unpacked():
    async def answer(request: Request) -> Answer:
        body = gzip.compress(b"0" * 50_000_000)
        return Answer(content_type="text/html", body=body, headers={"Content-Encoding": "gzip"})

    async with HttpServer(answer) as server:
        web = client(Names(), server.port)
        with pytest.raises(PageTooLarge, match="packed"):
            await web.fetch(f"http://127.0.0.1:{server.port}/")
        await web.close()


@pytest.mark.parametrize(("status", "media_type"), [(404, "text/html"), (200, "application/octet-stream"), (200, "")])
async def test_what_is_no_text_is_said_to_be_none(status: int, media_type: str):
    async def answer(request: Request) -> Answer:
        return Answer(status=status, content_type=media_type, body=b"x")

    async with HttpServer(answer) as server:
        web = client(Names(), server.port)
        with pytest.raises(Unavailable):
            await web.fetch(f"http://127.0.0.1:{server.port}/")
        await web.close()
