from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.llm import errors
from agent.llm.backends.scripted import ScriptedAnswer, ScriptedBackend, ScriptedCall, create
from agent.llm.base import Usage
from agent.llm.errors import ModelError, ModelUnavailable, StreamBroken
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage
from tests.support.deltas import ASK, Answer, whole


def script(folder: Path, *answers: dict[str, Any], **more: Any) -> str:
    path = folder / "script.json"
    path.write_text(json.dumps({"answers": answers} | more))
    return str(path)


async def test_answers_come_in_their_order_word_by_word(tmp_path: Path):
    backend = create(script(tmp_path, {"text": "One  two."}, {"text": "Three."}), LlmSettings())
    first = await whole(backend.stream(ASK))
    assert first.pieces == ["One", "  two."]
    assert first.last.finish == "stop"
    assert first.last.usage == Usage(2, 2)
    assert (await whole(backend.stream(ASK))).text == "Three."


async def test_an_answer_for_certain_words_waits_for_them(tmp_path: Path):
    backend = create(script(tmp_path, {"when": "acme", "text": "For ACME."}, {"text": "Else."}), LlmSettings())
    assert (await whole(backend.stream(ASK))).text == "Else."
    assert (await whole(backend.stream([ChatMessage(role="tool", content="ACME Ltd")]))).text == "For ACME."


async def test_an_answer_may_be_given_again_and_again():
    backend = ScriptedBackend([ScriptedAnswer(text="Hello.", always=True)])
    assert [(await whole(backend.stream(ASK))).text for _ in range(3)] == ["Hello."] * 3


async def test_calls_get_ids_that_are_unique():
    calls = (ScriptedCall(tool="find"), ScriptedCall(tool="get", arguments={"id": 1}))
    backend = ScriptedBackend([ScriptedAnswer(calls=calls), ScriptedAnswer(calls=calls)])
    answers = [await whole(backend.stream(ASK)) for _ in range(2)]
    made = [call for answer in answers for call in answer.calls]
    assert [call.tool for call in made] == ["find", "get"] * 2
    assert len({call.id for call in made}) == 4
    assert answers[0].last.finish == "tool_calls"


@pytest.mark.parametrize("code", ["model_error", "model_unavailable", "stream_broken", "context_overflow"])
async def test_an_error_comes_after_the_text(code: str):
    backend = ScriptedBackend([ScriptedAnswer(text="It was g", error=code, message="Gone.")])
    got = Answer()
    with pytest.raises(ModelError, match=r"Gone\.") as caught:
        await whole(backend.stream(ASK), got)
    assert got.text == "It was g"
    assert caught.value.code == code


def test_every_kind_of_error_can_be_scripted():
    from agent.llm.backends.scripted import ERRORS

    assert {ModelUnavailable, StreamBroken, ModelError} <= set(ERRORS.values())
    assert len(ERRORS) == sum(isinstance(k, type) and issubclass(k, ModelError) for k in vars(errors).values())


async def test_a_script_that_has_run_out_says_for_what():
    with pytest.raises(ModelError, match=r"no answer left for 'Say hello\.'"):
        await whole(ScriptedBackend([]).stream(ASK))


async def test_the_answer_is_cut_at_max_tokens():
    answer = await whole(ScriptedBackend([ScriptedAnswer(text="a b c")]).stream(ASK, max_tokens=2))
    assert answer.text == "a b"
    assert answer.last.finish == "length"


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "wrong at the file"), ('{"answers": [{"txt": "a"}]}', r"wrong at answers\.0\.txt"), ("[]", "wrong")],
)
def test_a_wrong_script_says_where(tmp_path: Path, content: str, message: str):
    path = tmp_path / "script.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=message):
        create(str(path), LlmSettings())


def test_a_script_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"none\.json' cannot be read: No such file"):
        create(str(tmp_path / "none.json"), LlmSettings())


def test_native_tools_are_the_scripts_choice_unless_configured(tmp_path: Path):
    path = script(tmp_path, native_tools=False)
    assert not create(path, LlmSettings(tools="auto")).native_tools
    assert create(path, LlmSettings(tools="native")).native_tools
    assert not create(script(tmp_path), LlmSettings(tools="schema")).native_tools
