"""Users who ask, read the whole stream, and ask again, until the time is over."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson

WRONG_END = "stream_cut"


@dataclass
class Tally:
    """What happened.

    Attributes:
        runs: By user, that succeeded.
        refused: 429s by code, which are honest: they say when to come back.
        errors: Everything else that was not expected, by what it was.
        gaps: Streams whose events were not numbered 1, 2, 3 to their end.
        waits: Seconds from each request to its first event.
    """

    runs: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])
    events: int = 0
    gaps: int = 0
    waits: list[float] = field(default_factory=list[float])

    def forget(self) -> None:
        """Count from now on."""
        vars(self).update(vars(Tally()))


async def drive(
    url: str, keys: Sequence[str], *, flooding: Sequence[str], flood: int, seconds: float, tally: Tally
) -> None:
    """Ask as everybody for so many seconds.

    Args:
        keys: One a user, each asking one thing at a time.
        flooding: Those among them who ask `flood` things at a time.
    """
    until = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=300)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        askers = [key for key in keys for _ in range(flood if key in set(flooding) else 1)]
        await asyncio.gather(*(_ask_on(session, key, until, tally) for key in askers))


async def _ask_on(session: aiohttp.ClientSession, key: str, until: float, tally: Tally) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    while time.monotonic() < until:
        try:
            pause = await _ask(session, headers, key, until, tally)
        except (aiohttp.ClientError, TimeoutError) as error:
            tally.errors[type(error).__name__] += 1
            pause = 1.0
        if pause:
            await asyncio.sleep(min(pause, max(until - time.monotonic(), 0)))


async def _ask(session: aiohttp.ClientSession, headers: dict[str, str], key: str, until: float, tally: Tally) -> float:
    """One request on a thread of its own. Returns the seconds to wait before the next."""
    async with session.post("/v1/threads", headers=headers) as made:
        if made.status != 201:
            return await _refusal(made, tally)
        thread = orjson.loads(await made.read())["id"]
    began = time.monotonic()
    streaming = {**headers, "Accept": "text/event-stream"}
    async with session.post(
        f"/v1/threads/{thread}/runs", json={"input": "Say something."}, headers=streaming
    ) as answer:
        if answer.status != 200:
            return await _refusal(answer, tally)
        last, kind, ended = 0, b"", b""
        async for line in answer.content:
            if line.startswith(b"id: "):
                number = int(line[4:])
                if last == 0:
                    tally.waits.append(time.monotonic() - began)
                if number != last + 1:
                    tally.gaps += 1
                last = number
                tally.events += 1
            elif line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind == b"run.finished":
                ended = line[6:]
    if not ended:
        tally.errors[WRONG_END] += 1
    elif (status := orjson.loads(ended)["status"]) != "succeeded":
        tally.errors[f"run {status}: {orjson.loads(ended).get('error', {}).get('code')}"] += 1
    elif time.monotonic() < until:  # what ends later ended when others had stopped to ask
        tally.runs[key] += 1
    return 0.0


async def _refusal(answer: aiohttp.ClientResponse, tally: Tally) -> float:
    code = orjson.loads(await answer.read()).get("code")
    after = answer.headers.get("Retry-After")
    if answer.status == 429 and after is not None:
        tally.refused[str(code)] += 1
        return float(after)
    tally.errors[f"{answer.status} {code}"] += 1
    return 1.0
