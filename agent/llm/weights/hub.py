"""The publisher's model hub: taken first where the machine reaches it, and given up at once where not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx

from agent.llm.weights.catalog import KnownModel

PROBE_SECONDS = 1.5  # a machine without the hub is not held up longer
READ_SECONDS = 30.0
TRIES = 3


def download(model: KnownModel, partial: Path, report: Callable[[int], None]) -> bool:
    """Append to `partial` what it lacks. False when the hub cannot be reached or stays broken: use another source."""
    with httpx.Client(timeout=httpx.Timeout(READ_SECONDS, connect=PROBE_SECONDS), follow_redirects=True) as client:
        if not _reachable(client, model):
            return False
        for _ in range(TRIES):
            try:
                _resume(client, model, partial, report)
            except httpx.HTTPError:
                continue
            if partial.stat().st_size == model.size:
                return True
    return False


def _reachable(client: httpx.Client, model: KnownModel) -> bool:
    """Whether the hub offers the file with the pinned size. A thread, because a name server may hang unheard."""
    answer: list[bool] = []
    probe = threading.Thread(target=lambda: answer.append(_probe(client, model)), daemon=True, name="model-hub-probe")
    probe.start()
    probe.join(PROBE_SECONDS)
    return bool(answer) and answer[0]


def _probe(client: httpx.Client, model: KnownModel) -> bool:
    try:
        answer = client.get(model.hub_url, headers={"Range": "bytes=0-0"})
    except (httpx.HTTPError, RuntimeError):  # RuntimeError: given up already, and the client closed
        return False
    return answer.status_code == 206 and answer.headers.get("Content-Range", "").endswith(f"/{model.size}")


def _resume(client: httpx.Client, model: KnownModel, partial: Path, report: Callable[[int], None]) -> None:
    have = partial.stat().st_size
    with client.stream("GET", model.hub_url, headers={"Range": f"bytes={have}-"}) as answer:
        answer.raise_for_status()
        if answer.status_code != 206:  # it sends the whole file: begin again
            have = 0
        with partial.open("r+b") as file:
            file.truncate(have)
            file.seek(have)
            for block in answer.iter_bytes():
                file.write(block)
                report(file.tell())
