"""A receiver of webhooks that checks every signature with the library that the specification's authors publish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from standardwebhooks.webhooks import Webhook

from tests.support.http_server import Answer, HttpServer, Request

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBkZXNrLCAzMiBieXRlcyBsb25n"
OTHER_SECRET = "whsec_" + "YW5vdGhlciBzZWNyZXQsIG9mIDI0IGJ5dGVz"


class Receiver(HttpServer):
    """Answers with `answers`, one an attempt, and then with 204.

    Attributes:
        attempts: (webhook-id, the verified body) of every attempt, in order.
    """

    def __init__(self, *answers: Answer, secret: str = SECRET) -> None:
        super().__init__(self._take)
        self._answers = list(answers)
        self._webhook = Webhook(secret)
        self.attempts: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[Request] = []

    async def _take(self, request: Request) -> Answer:
        self._webhook.verify(request.body, request.headers)  # raises: then the attempt is not counted
        self.requests.append(request)
        self.attempts.append((request.headers["webhook-id"], orjson.loads(request.body)))
        return self._answers.pop(0) if self._answers else Answer(status=204)

    @property
    def kinds(self) -> Sequence[str]:
        return [body["type"] for _, body in self.attempts]

    async def until(self, ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while True:
                if ready():
                    return
                await asyncio.sleep(0.01)


def answers(*statuses: int) -> list[Answer]:
    return [Answer(status=status) for status in statuses]
