"""One row asked of a model, decoded under the row's own schema."""

from __future__ import annotations

import json
from contextlib import aclosing

from agent.llm.base import Backend
from agent.messages import ChatMessage
from evals.outside.bfcl.convert import Malformed, read, step_schema, to_theirs
from evals.outside.bfcl.theirs import Row, complaint

MAX_TOKENS = 512  # of one answer
_RULES = """\
You call functions. Reply with one JSON object: {{"calls": [{{"NAME": {{ARGUMENTS}}}}]}}{many}.
Take every value from the request, in the form that the function's description asks for. Leave out optional arguments \
that the request does not speak of.
Functions:
{functions}"""


def conversation(row: Row) -> list[ChatMessage]:
    many = "; one entry for each call that the request needs" if "parallel" in row.category else " with one call"
    functions = "\n".join(json.dumps(function, ensure_ascii=False) for function in row.functions)
    return [
        ChatMessage(role="system", content=_RULES.format(many=many, functions=functions)),
        ChatMessage(role="user", content=row.question),
    ]


async def ask(row: Row, backend: Backend) -> tuple[str, str | None]:
    """What the model wrote, and what their checker says against it; None when it is right. Raises a ModelError."""
    text: list[str] = []
    answer = backend.stream(conversation(row), schema=step_schema(row), max_tokens=MAX_TOKENS)
    async with aclosing(answer) as deltas:
        async for delta in deltas:
            text.append(delta.text)
    written = "".join(text)
    try:
        return written, complaint(row, to_theirs(read(written)))
    except Malformed as error:
        return written, str(error)
