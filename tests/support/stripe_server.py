"""A server that speaks Stripe's published HTTP API, remembers what it did, counts it, and fails when told to.

In a test: `async with StripeServer() as server: ... server.url`, `server.world.effects["payment.taken"]`.
On its own: `python -m tests.support.stripe_server 12111 --state stripe.json` prints its port and serves; it goes on
from the file, which holds after every request what a real account would. `GET /_test/state`, `POST /_test/faults`,
`POST /_test/forget_keys`, `POST /_test/method` look at it and steer it.

Idempotency is Stripe's: the first answer to a key is kept once the endpoint has begun, also a 500, and given again with
`Idempotent-Replayed`; other parameters are an `idempotency_error`, a key in use is a 409. Source:
https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/error-low-level
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

from tests.support.http_server import Answer, Disconnect, HttpServer, Request, json_answer
from tests.support.stripe_world import ACTS, CREATES, KINDS, TAKEN, ApiError, Json, World

KEY = "sk_test_deskclerk"
How = Literal["429", "500", "502", "503", "504", "drop", "garbage", "hang", "kill"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with one request, once.

    Attributes:
        when: Before the effect (which then does not take place, but with `hang`), or after it.
        nth: Of the requests that `method` and `path` (a regular expression) fit, counted from when it was set.
        seconds: How long a `hang` lasts. The effect of one that is `before` takes place after that time.
        times: How many requests in a row fail, from the nth on.
    """

    how: How
    when: Literal["before", "after"] = "before"
    method: str = "POST"
    path: str = ".*"
    nth: int = 1
    seconds: float = 30.0
    times: int = 1
    retry_after: str | None = None
    seen: int = 0

    def fits(self, method: str, path: str) -> bool:
        if method != self.method or not re.search(self.path, path):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


@dataclass(slots=True)
class Kept:
    """The first answer to a key."""

    request: str
    status: int
    body: Json


@dataclass(slots=True)
class Asked:
    """A request that came in, as tests look at it."""

    method: str
    path: str
    data: Json
    key: str | None
    headers: dict[str, str] = field(repr=False)


class StripeServer:
    """Attributes:
    asked: Every request to /v1, in order.
    faults: What is to go wrong.
    refuse: What may not be made now, like `invoiceitems`.
    on_answer: Called when a request has been carried out, before its answer leaves.
    """

    def __init__(self, *, state: Path | None = None, key: str = KEY) -> None:
        saved: Json = orjson.loads(state.read_bytes()) if state is not None and state.exists() else {}
        self.world = World(saved.get("world"))
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.refuse = ""
        self.on_answer: Callable[[], None] | None = None
        self._kept = {name: Kept(**kept) for name, kept in saved.get("kept", {}).items()}
        self._running: set[str] = set()
        self._state = state
        self._key = key
        self.http = HttpServer(self._handle)

    async def __aenter__(self) -> Self:
        await self.http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.stop()

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def posts(self) -> list[Asked]:
        return [each for each in self.asked if each.method == "POST"]

    def fail(self, how: How, **fault: Any) -> Fault:
        self.faults.append(made := Fault(how, **fault))
        return made

    def forget_keys(self) -> None:
        """A day has passed."""
        self._kept.clear()

    # ------------------------------------------------------------ one request

    async def _handle(self, request: Request) -> Answer:
        split = urlsplit(request.path)
        data = _nested(parse_qsl(split.query if request.method == "GET" else request.body.decode(), True))
        if split.path.startswith("/_test/"):
            return self._steer(split.path, request.body)
        key = request.headers.get("idempotency-key")
        self.asked.append(Asked(request.method, split.path, data, key, request.headers))
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return _error(ApiError(401, "Invalid API Key provided: sk_test_****"))
        fault = next((each for each in self.faults if each.fits(request.method, split.path)), None)
        if request.method != "POST" or key is None:
            answer = await self._execute(request.method, split.path, data, fault, None)
        else:
            answer = await self._keyed(split.path, data, fault, key)
        if self.on_answer is not None:
            self.on_answer()
        return answer

    async def _keyed(self, path: str, data: Json, fault: Fault | None, key: str) -> Answer:
        said = f"POST {path} {orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()}"
        if key in self._running:
            message = "There is currently another in-progress request using this Idempotency Key."
            return _error(ApiError(409, message, type="idempotency_error", code="idempotency_key_in_use"))
        if (kept := self._kept.get(key)) is not None:
            if kept.request != said:
                message = f"Keys for idempotent requests can only be used with the same parameters ('{key}')."
                return _error(ApiError(400, message, type="idempotency_error"))
            return json_answer(kept.body, kept.status, Idempotent_Replayed="true")
        self._running.add(key)
        try:
            return await self._execute("POST", path, data, fault, (key, said))
        finally:
            self._running.discard(key)

    async def _execute(
        self, method: str, path: str, data: Json, fault: Fault | None, key: tuple[str, str] | None
    ) -> Answer:
        if fault is not None and fault.when == "before":
            if fault.how == "hang":
                await asyncio.sleep(fault.seconds)
            elif fault.how == "500":
                return self._keep(key, 500, _crashed())
            else:
                return self._failed(fault)
        try:
            body = self._do(method, path, data)
        except ApiError as error:
            return self._keep(key if error.executed else None, error.status, error.body)
        crashed = fault is not None and fault.how == "500"
        answer = self._keep(key, 500, _crashed()) if crashed else self._keep(key, 200, body)
        if fault is None or fault.when == "before" or crashed:
            return answer
        if fault.how == "hang":
            await asyncio.sleep(fault.seconds)
            return answer
        return self._failed(fault)

    def _failed(self, fault: Fault) -> Answer:
        match fault.how:
            case "kill":
                os._exit(9)
            case "drop":
                raise Disconnect
            case "garbage":
                return Answer(200, b"<html>upstream", content_type="text/html")
            case "429":
                headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                error = ApiError(429, "Too many requests.", code="rate_limit")
                return Answer(429, orjson.dumps(error.body), headers=headers)
            case _:
                return Answer(int(fault.how), b"<html>no healthy upstream</html>", content_type="text/html")

    def _keep(self, key: tuple[str, str] | None, status: int, body: Json) -> Answer:
        """The answer, kept for its key, and everything on disk before it leaves."""
        copy: Json = orjson.loads(orjson.dumps(body))
        if key is not None:
            self._kept[key[0]] = Kept(key[1], status, copy)
        self.save()
        return json_answer(copy, status, Request_Id=f"req_{len(self.asked)}")

    def save(self) -> None:
        if self._state is None:
            return
        kept = {name: {"request": k.request, "status": k.status, "body": k.body} for name, k in self._kept.items()}
        part = self._state.with_suffix(".part")
        part.write_bytes(orjson.dumps({"world": self.world.dump(), "kept": kept}))
        part.replace(self._state)

    # ------------------------------------------------------------ what is asked

    def _do(self, method: str, path: str, data: Json) -> Json:
        names = path.removeprefix("/v1/").split("/")
        match method, names:
            case "GET", [kinds] if kinds in KINDS:
                return self._list(kinds, data)
            case "GET", [kinds, object_id] if kinds in KINDS:
                return self.world.shown(self.world.one(KINDS[kinds], object_id), _expand(data))
            case "POST", [kinds] if kinds in CREATES:
                _check_names(kinds, data)
                if kinds == self.refuse:
                    raise ApiError(400, "Not this one.")
                return CREATES[kinds](self.world, data)
            case "POST", [kinds, object_id, act] if (kinds, act) in ACTS:
                _check_names(act, data)
                return self.world.shown(ACTS[kinds, act](self.world, object_id, data), _expand(data))
            case "DELETE", ["invoices", object_id]:
                return self.world.delete_invoice(object_id)
            case _:
                raise ApiError(404, f"Unrecognized request URL ({method}: {path}).", executed=False)

    def _list(self, kinds: str, data: Json) -> Json:
        found = self.world.all(KINDS[kinds])
        for name in ("email", "customer", "status", "invoice"):
            if name in data:
                found = [each for each in found if each.get(name) == data[name]]
        if (chosen := data.get("payment")) is not None:
            found = [each for each in found if each["payment"]["payment_intent"] == chosen["payment_intent"]]
        if after := data.get("starting_after"):
            found = found[1 + next(place for place, each in enumerate(found) if each["id"] == after) :]
        limit = min(int(data.get("limit", 10)), 100)
        return {"object": "list", "url": f"/v1/{kinds}", "data": found[:limit], "has_more": len(found) > limit}

    def _steer(self, path: str, body: bytes) -> Answer:
        match path.removeprefix("/_test/"):
            case "state":
                return json_answer(self.world.dump() | {"requests": len(self.asked)})
            case "faults":
                self.faults = [Fault(**fault) for fault in orjson.loads(body)]
            case "forget_keys":
                self.forget_keys()
            case "method":
                self.world.method = orjson.loads(body)["method"]
            case _:
                return Answer(404)
        self.save()
        return json_answer({})


def _nested(fields: Sequence[tuple[str, str]]) -> Json:
    """`a[b]=c` as `{"a": {"b": "c"}}`; positions of lists are names like others."""
    made: Json = {}
    for name, value in fields:
        *outer, last = re.findall(r"[^\[\]]+", name)
        place = made
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    return made


def _expand(data: Json) -> list[str]:
    return list(data.get("expand", {}).values())


def _check_names(what: str, data: Json) -> None:
    if unknown := sorted(set(data) - TAKEN[what]):
        message = f"Received unknown parameter: {unknown[0]}"
        raise ApiError(400, message, code="parameter_unknown", param=unknown[0], executed=False)


def _crashed() -> Json:
    return {"error": {"type": "api_error", "message": "An unknown error occurred."}}


def _error(error: ApiError) -> Answer:
    return json_answer(error.body, error.status)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.stripe_server", description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=0, help="0: the system chooses")
    parser.add_argument("--state", type=Path, help="file that holds the account between starts")
    parser.add_argument("--key", default=KEY, help="API key that it accepts")
    options = parser.parse_args()
    server = StripeServer(state=options.state, key=options.key)
    await server.http.start(options.port)
    print(server.http.port, flush=True)
    await server.http.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
