from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx

from agent.llm.weights import hub
from agent.llm.weights.catalog import KnownModel
from tests.support.model_wheels import model_in_wheels


@pytest.fixture
def hub_route() -> Iterator[respx.Route]:
    with respx.mock() as mock:
        yield mock.get("https://hub.example/tiny.gguf")


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[KnownModel, bytes, Path]:
    model, data = model_in_wheels(tmp_path)
    partial = tmp_path / "tiny.gguf.partial"
    partial.touch()
    return model, data, partial


def silent(_: int) -> None: ...


class Hub:
    """Serves ranges of `data`; `breaks` many answers stop halfway."""

    def __init__(self, data: bytes, *, breaks: int = 0) -> None:
        self._data = data
        self._breaks = breaks
        self.ranges: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.headers["Range"]
        self.ranges.append(asked)
        first, last = asked.removeprefix("bytes=").split("-")
        part = self._data[int(first) : int(last) + 1 if last else None]
        headers = {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(self._data)}"}
        if not last and self._breaks:
            self._breaks -= 1
            return httpx.Response(206, headers=headers, stream=Broken(part[: len(part) // 2]))
        return httpx.Response(206, headers=headers, content=part)


class Broken(httpx.SyncByteStream):
    """Gives `data`, then loses the connection."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data
        raise httpx.ReadError("connection lost")


def test_a_reachable_hub_gives_the_whole_file(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    hub_route.mock(side_effect=Hub(data))
    seen: list[int] = []
    assert hub.download(model, partial, seen.append)
    assert partial.read_bytes() == data
    assert seen[-1] == len(data)


def test_a_broken_download_goes_on_where_it_stopped(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    served = Hub(data, breaks=1)
    hub_route.mock(side_effect=served)
    assert hub.download(model, partial, silent)
    assert partial.read_bytes() == data
    assert served.ranges == ["bytes=0-0", "bytes=0-", "bytes=1750-"]


def test_what_other_sources_brought_is_kept(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    partial.write_bytes(data[:1000])
    served = Hub(data)
    hub_route.mock(side_effect=served)
    assert hub.download(model, partial, silent)
    assert partial.read_bytes() == data
    assert served.ranges[-1] == "bytes=1000-"


def test_a_hub_that_knows_no_ranges_is_not_used(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    hub_route.mock(return_value=httpx.Response(200, content=data))
    assert not hub.download(model, partial, silent)
    assert partial.stat().st_size == 0


def test_a_file_of_another_size_is_not_taken(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    hub_route.mock(side_effect=Hub(data + b"more"))
    assert not hub.download(model, partial, silent)


@pytest.mark.parametrize("error", [httpx.ConnectError("no route"), httpx.ConnectTimeout("slow")])
def test_a_hub_that_cannot_be_reached_leaves_it_to_the_next_source(
    hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path], error: httpx.HTTPError
):
    hub_route.mock(side_effect=error)
    assert not hub.download(tiny[0], tiny[2], silent)


def test_a_hub_that_breaks_every_time_is_given_up(hub_route: respx.Route, tiny: tuple[KnownModel, bytes, Path]):
    model, data, partial = tiny
    hub_route.mock(side_effect=Hub(data, breaks=hub.TRIES))
    assert not hub.download(model, partial, silent)
    assert data.startswith(partial.read_bytes())  # the next source goes on from here


def test_a_name_server_that_hangs_holds_nobody_up(
    tiny: tuple[KnownModel, bytes, Path], monkeypatch: pytest.MonkeyPatch
):
    answered = threading.Event()

    def probe(client: httpx.Client, model: KnownModel) -> bool:
        return answered.wait(60)

    monkeypatch.setattr(hub, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(hub, "_probe", probe)
    assert not hub.download(tiny[0], tiny[2], silent)  # long before the probe has an answer
    assert not answered.is_set()
    answered.set()
