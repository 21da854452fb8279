from __future__ import annotations

import pytest

from agent.llm.base import Delta, Usage
from agent.llm.errors import MalformedAnswer
from agent.llm.openai_wire import ChunkReader, wire_messages
from agent.messages import ChatMessage, ToolCall


def chunk(finish: str | None = None, **delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def part(index: int, arguments: str = "", *, call_id: str | None = None, name: str | None = None) -> dict[str, object]:
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}


def test_text_is_passed_on_at_once_and_the_end_carries_the_usage():
    reader = ChunkReader()
    assert reader.read(chunk(role="assistant", content=None)) is None
    assert reader.read(chunk(content="Hé")) == Delta(text="Hé")
    assert not reader.finished
    assert reader.read(chunk("length")) is None
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}}
    assert reader.read({"choices": [], "usage": usage}) is None
    assert reader.finished
    assert reader.end() == Delta(finish="length", usage=Usage(7, 2, 5))


def test_calls_that_come_in_pieces_and_interleaved_are_put_together():
    reader = ChunkReader()
    reader.read(chunk(tool_calls=[part(0, call_id="a", name="find"), part(1, call_id="b", name="get")]))
    reader.read(chunk(tool_calls=[part(1, '{"id"'), part(0, '{"q": "AC')]))
    reader.read(chunk(tool_calls=[part(0, 'ME"}'), part(1, ": 1}")]))
    reader.read(chunk("tool_calls"))
    calls = (ToolCall(id="a", tool="find", arguments={"q": "ACME"}), ToolCall(id="b", tool="get", arguments={"id": 1}))
    assert reader.end() == Delta(calls=calls, finish="tool_calls")


def test_a_call_without_id_or_arguments_gets_both():
    reader = ChunkReader()
    reader.read(chunk("stop", tool_calls=[part(0, name="list_products")]))
    end = reader.end()
    assert end.finish == "tool_calls"
    assert end.calls[0].id.startswith("call_")
    assert end.calls[0].arguments == {}


@pytest.mark.parametrize("arguments", ['{"q": "AC', "[1]", "null", "ACME"])
def test_arguments_that_are_no_json_object_are_a_malformed_answer(arguments: str):
    reader = ChunkReader()
    reader.read(chunk("tool_calls", tool_calls=[part(0, arguments, call_id="a", name="find")]))
    with pytest.raises(MalformedAnswer, match="called 'find' with arguments that are not a JSON object"):
        reader.end()


def test_calls_and_their_results_go_back_as_the_server_gave_them():
    call = ToolCall(id="a", tool="find", arguments={"q": "Zürich"})
    sent = wire_messages(
        [
            ChatMessage(role="assistant", calls=(call,)),
            ChatMessage(role="tool", content="cus_1", call_id="a", tool="find"),
        ]
    )
    assert sent == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "find", "arguments": '{"q": "Zürich"}'}}
            ],
        },
        {"role": "tool", "content": "cus_1", "tool_call_id": "a", "name": "find"},
    ]
