from __future__ import annotations

import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.grounding import Step, StepReader
from agent.grounding.reader import MAX_STEP
from agent.llm.errors import MalformedAnswer
from agent.messages import ToolCall


def reader() -> StepReader:
    numbers = count(1)
    return StepReader(new_id=lambda: f"call_{next(numbers)}")


def read(*chunks: str) -> tuple[list[str], Step]:
    step = reader()
    return [step.feed(chunk) for chunk in chunks], step.finish()


def test_the_answers_text_leaves_as_it_arrives():
    sent, step = read('{"ans', 'wer": "He', "llo", ' you"', "}")
    assert sent == ["", "He", "llo", " you", ""]
    assert step == Step(answer="Hello you")


def test_an_escape_split_anywhere_leaves_whole():
    sent, step = read('{"answer": "a\\', "n\\u00", "e9\\ud83d", "\\ud", 'e00!"}')
    assert sent == ["a", "\n", "é", "", "😀!"]
    assert step.answer == "a\né😀!"


@given(st.text(min_size=1).filter(str.strip), st.booleans(), st.data())
def test_any_answer_split_anywhere_is_read_as_json_reads_it(text: str, ascii_only: bool, data: st.DataObject):
    written = json.dumps({"answer": text}, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=20)))
    chunks = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    sent, step = read(*chunks)
    assert "".join(sent) == step.answer == text


def test_half_a_surrogate_pair_becomes_something_that_can_be_sent():
    sent, step = read('{"answer": "a\\ud83d', 'b\\ude00"}')
    assert "".join(sent) == step.answer == "a\ufffdb\ufffd"


def test_a_call_is_whole_at_the_end_and_says_nothing_before():
    sent, step = read('{"find_cus', 'tomer": {"query": "answer"', "}}\n")
    assert sent == ["", "", ""]
    assert step == Step(calls=(ToolCall(id="call_1", tool="find_customer", arguments={"query": "answer"}),))


def test_several_calls_in_one_step_have_ids_of_their_own():
    _, step = read('{"get_customer": {"customer": "cus_a"}, "list_invoices": {}}')
    assert [(call.id, call.tool) for call in step.calls] == [("call_1", "get_customer"), ("call_2", "list_invoices")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! I will do that.",
        '{"answer": "cut of',
        '{"answer": ""}',
        '{"answer": 3}',
        '{"answer": "done", "issue_invoice": {"invoice": "inv_a"}}',
        "{}",
        "[]",
        '{"find_customer": "ACME"}',
        '{"answer": "\\u12x4"}',
    ],
)
def test_what_is_no_step_is_malformed(text: str):
    with pytest.raises(MalformedAnswer):
        read(text)


def test_a_step_without_end_is_cut_off():
    with pytest.raises(MalformedAnswer, match="longer than"):
        reader().feed("x" * (MAX_STEP + 1))


@pytest.mark.parametrize("text", ['{"a": ' * 15_000, '{"find": {"a": ' + "[" * 50_000])
def test_a_step_nested_deeper_than_anybody_means_is_malformed(text: str):
    reader = StepReader(new_id=lambda: "call_1")
    reader.feed(text)
    with pytest.raises(MalformedAnswer):
        reader.finish()
