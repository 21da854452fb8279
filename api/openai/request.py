"""What a client may send to `POST /v1/chat/completions`. Fields that are not here are ignored, as OpenAI does.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.options import RunOptions, Tools
from agent.structured import UnusableSchema, check_schema
from api.problems import InvalidField, Problem

MOST_MESSAGES = 2_000
MOST_STOPS = 4


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore")


class FilePart(_Open):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class Part(_Open):
    """A part of a message; which fields count depends on `type`."""

    type: str
    text: str | None = None
    file: FilePart | None = None


class ChatMessage(_Open):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class JsonSchema(_Open):
    name: str = "answer"
    schema_: Annotated[dict[str, Any] | bool, Field(alias="schema")] = True


class ResponseFormat(_Open):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(_Open):
    include_usage: bool | None = None


class ChatRequest(_Open):
    """`tools` of the client are ignored: ours are called inside. `temperature` and the like are the server's to set."""

    model: Annotated[str, Field(min_length=1, max_length=500)]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MOST_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    stop: str | Annotated[list[str], Field(max_length=MOST_STOPS)] | None = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63)] = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: list[str] | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None

    @property
    def stops(self) -> list[str]:
        found = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in found if stop]

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)


def unsupported(param: str, detail: str, *, code: str = "unsupported_parameter") -> Problem:
    """A 400 that names the field."""
    return Problem(400, code, detail, errors=[InvalidField(path=f"body.{param}", message=detail)])


def options_of(request: ChatRequest) -> RunOptions:
    """What the request asks of its run, its instructions left out.

    Raises:
        Problem: 400: it asks for what we do not do.
    """
    if request.n not in (None, 1):
        raise unsupported("n", "One answer is given: n must be 1.")
    if request.logprobs or request.top_logprobs:
        raise unsupported("logprobs", "Log probabilities are not told.")
    if request.modalities and set(request.modalities) != {"text"}:
        raise unsupported("modalities", "Answers are text.")
    return RunOptions(
        answer_schema=_answer_schema(request.response_format),
        max_answer_tokens=request.max_completion_tokens or request.max_tokens,
        seed=request.seed,
        tools=_tools(request),
    )


def _tools(request: ChatRequest) -> Tools:
    for param, choice in (("tool_choice", request.tool_choice), ("function_call", request.function_call)):
        if choice == "none":
            return "none"
        if choice not in (None, "auto"):
            raise unsupported(param, "Tools are chosen and called inside: only 'auto' and 'none' are possible.")
    return "all"


def _answer_schema(form: ResponseFormat | None) -> dict[str, Any] | bool | None:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return {"type": "object"}
    if form.json_schema is None:
        raise unsupported("response_format.json_schema", "It is missing.", code="invalid_json_schema")
    try:
        check_schema(form.json_schema.schema_)
    except UnusableSchema as error:
        raise unsupported("response_format.json_schema.schema", str(error), code="invalid_json_schema") from None
    return form.json_schema.schema_
