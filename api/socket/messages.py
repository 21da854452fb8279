"""What a client may say on the socket, and what it hears. Every message is one JSON object of a `type`."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.records import StoredEvent
from agent.run_store import WhenBusy
from api.middleware.no_nul import DETAIL, holds_nul

PROTOCOL = "deskclerk.v1"

Id = Annotated[str, Field(min_length=1, max_length=64)]
Ref = Annotated[str | None, Field(max_length=64, description="Comes back with the answer to this message.")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ref: Ref = None


class Send(_Said):
    """Ask for something. Answered by `accepted`, and then the run's events."""

    type: Literal["send"]
    input: Annotated[str, Field(min_length=1)]
    documents: Annotated[list[Id], Field(max_length=20)] = []
    key: Annotated[str | None, Field(min_length=1, max_length=255, description="Never begins a second run.")] = None
    multitask: WhenBusy | None = None


class Resume(_Said):
    """Read a run of this thread above a sequence number, stored events first, then live."""

    type: Literal["resume"]
    run_id: Id
    after: Annotated[int, Field(ge=0, le=2**31)] = 0


class Decide(_Said):
    """A person's word on a call; `digest` is that of the approval as it was shown. Answered by `decided`."""

    type: Literal["approve", "reject"]
    approval_id: Id
    digest: Annotated[str, Field(min_length=1, max_length=128)]
    reason: Annotated[str | None, Field(max_length=2000)] = None


class Cancel(_Said):
    """From now on no tool starts in this run. Answered by `cancelled`; the run's events say how it ended."""

    type: Literal["cancel"]
    run_id: Id


class Ping(_Said):
    """Answered by `pong`."""

    type: Literal["ping"]


Message = Annotated[Send | Resume | Decide | Cancel | Ping, Field(discriminator="type")]
_MESSAGE: TypeAdapter[Send | Resume | Decide | Cancel | Ping] = TypeAdapter(Message)


class NotAnObject(ValueError):
    """Not JSON, or no object: whoever sends this speaks another protocol."""


class NotText(ValueError):
    """A binary message."""


class Misunderstood(ValueError):
    """An object, and none of our messages. `code` is `unknown_message` or `invalid_message`."""

    def __init__(self, code: str, detail: str, ref: str | None) -> None:
        super().__init__(detail)
        self.code = code
        self.ref = ref


def parse(text: str) -> Send | Resume | Decide | Cancel | Ping:
    """A client's message.

    Raises:
        NotAnObject, Misunderstood
    """
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotAnObject("A message is one JSON object.") from None
    if not isinstance(data, dict):
        raise NotAnObject("A message is one JSON object.")
    if holds_nul(text.encode()):
        raise Misunderstood("invalid_message", DETAIL, None)
    try:
        return _MESSAGE.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        unknown = first["type"] in ("union_tag_invalid", "union_tag_not_found")
        where = ".".join(map(str, first["loc"][1:]))
        ref = data.get("ref")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] JSON
        raise Misunderstood(
            "unknown_message" if unknown else "invalid_message",
            "There is no message of this type." if unknown else f"{where or 'The message'}: {first['msg']}",
            ref if isinstance(ref, str) and len(ref) <= 64 else None,
        ) from None


def event_frame(run_id: str, event: StoredEvent) -> str:
    """An event as every reader gets it: its number, its type, its data byte for byte."""
    head = orjson.dumps({"type": "event", "run_id": run_id, "sequence": event.sequence, "event": event.type})
    return (head[:-1] + b',"data":' + event.data + b"}").decode()


def frame(kind: str, ref: str | None = None, **fields: str | int | None) -> str:
    """Any other message of ours, without what is not set."""
    told = {"type": kind, "ref": ref, **fields}
    return orjson.dumps({name: value for name, value in told.items() if value is not None}).decode()
