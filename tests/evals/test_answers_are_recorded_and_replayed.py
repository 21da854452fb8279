from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.llm.base import Backend, ToolSpec
from agent.messages import ChatMessage
from evals.case import Case
from evals.proving import bare_settings
from evals.recording import InvalidTape, Model, NotRecorded, Recorder, Tape
from evals.solutions import SolutionBackend
from evals.suite import load
from evals.trying import Tried, attempt
from evals.worlds import Worlds
from tests.support.scripted_model import ScriptedModel, asks, says

CASES = load(names=["draft_and_issue_by_hand", "pdf_order_to_payment", "rejected_then_approved"])
MODEL = Model("solution", "solution", native_tools=True, context_tokens=1_000_000)
SAMPLING = {"temperature": 0.0, "seed": 7}
HELLO = [ChatMessage(role="user", content="Issue inv_abcdefghjkmn, please.")]


@asynccontextmanager
async def worlds() -> AsyncGenerator[Worlds]:
    with tempfile.TemporaryDirectory() as folder:
        async with Worlds(Path(folder), bare_settings(), SolutionBackend(()), size=1, policy=None) as made:
            yield made


def recorder(backend: Backend | None, tape: Tape, *, scope: str = "it", epoch: int = 1, **options: Any) -> Recorder:
    options.setdefault("like", MODEL if backend is None else None)
    return Recorder(backend, tape, scope=scope, epoch=epoch, sampling=options.pop("sampling", SAMPLING), **options)


async def heard(backend: Backend, messages: list[ChatMessage] = HELLO, **options: Any) -> tuple[str, list[Any]]:
    deltas = [delta async for delta in backend.stream(messages, **options)]
    return "".join(delta.text for delta in deltas), [call for delta in deltas for call in delta.calls]


async def test_cases_run_again_without_a_model_in_worlds_whose_identifiers_are_others(tmp_path: Path):
    """Documents and drafts are called otherwise in each world; a payment is asked for twice, and is told apart."""
    tape = Tape()
    async with worlds() as made:

        async def tried(backend_for: Callable[[Case], Backend]) -> dict[str, Tried]:
            return {case.name: await attempt(case, made, backend_for(case)) for case in CASES}

        first = await tried(lambda case: recorder(SolutionBackend(case.solution), tape, scope=case.name))
        tape.write(tmp_path / "tape.jsonl.gz")
        kept = Tape.read(tmp_path / "tape.jsonl.gz")
        again = await tried(lambda case: recorder(None, kept, scope=case.name))
    for name, one in again.items():
        assert one.faults == []
        assert set(one.after.invoices) != set(first[name].after.invoices) or name == "rejected_then_approved"
    assert (tmp_path / "tape.jsonl.gz").stat().st_size < 20_000


async def recorded() -> Tape:
    tape = Tape()
    model = ScriptedModel([asks(("issue_invoice", {"invoice": "inv_abcdefghjkmn"}))], native_tools=True)
    assert (await heard(recorder(model, tape)))[1][0].arguments == {"invoice": "inv_abcdefghjkmn"}
    return tape


async def replay(tape: Tape, **options: Any) -> tuple[str, list[Any]]:
    given = {key: options.pop(key) for key in ("messages", "tools", "schema", "seed", "max_tokens") if key in options}
    return await heard(recorder(None, tape, like=options.pop("like", MODEL_OF_TEST), **options), **given)


MODEL_OF_TEST = Model("test", "test", native_tools=True, context_tokens=32_000)


@pytest.mark.parametrize(
    "other",
    [
        {"epoch": 2},
        {"scope": "another"},
        {"sampling": {"temperature": 0.7, "seed": 7}},
        {"like": Model("test", "other weights", native_tools=True, context_tokens=32_000)},
        {"messages": [ChatMessage(role="user", content="Issue inv_abcdefghjkmn now, please.")]},
        {"tools": [ToolSpec("pay", "Pays.", {})]},
        {"schema": {"type": "object"}},
        {"seed": 8},
        {"max_tokens": 5},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_an_answer_fits_only_what_was_asked_then(other: dict[str, Any]):
    tape = await recorded()
    assert (await replay(tape))[1][0].arguments == {"invoice": "inv_abcdefghjkmn"}
    with pytest.raises(NotRecorded, match="record it again"):
        await replay(tape, **other)


async def test_an_identifier_of_another_try_is_put_in_its_place():
    tape = await recorded()
    calls = (await replay(tape, messages=[ChatMessage(role="user", content="Issue inv_23456789abcd, please.")]))[1]
    assert calls[0].arguments == {"invoice": "inv_23456789abcd"}
    with pytest.raises(NotRecorded):  # an identifier that was not drawn at random is a word like any other
        await replay(tape, messages=[ChatMessage(role="user", content="Issue inv_seed09, please.")])


async def test_the_same_question_twice_has_two_answers():
    tape = Tape()
    live = recorder(ScriptedModel([says("One."), says("Two.")], native_tools=True), tape)
    assert [(await heard(live))[0], (await heard(live))[0]] == ["One.", "Two."]
    again = recorder(None, tape, like=MODEL_OF_TEST)
    assert [(await heard(again))[0], (await heard(again))[0]] == ["One.", "Two."]
    with pytest.raises(NotRecorded):
        await heard(again)


async def test_a_journal_goes_on_where_its_writer_was_killed(tmp_path: Path):
    path = tmp_path / "answers" / "it.1.jsonl"
    live = recorder(ScriptedModel([says("One."), says("Two.")], native_tools=True), Tape.journal(path))
    await heard(live)
    with path.open("a") as file:
        file.write('{"key": "cut o')
    model = ScriptedModel([says("Two.")], native_tools=True)
    after = recorder(model, Tape.journal(path))
    assert [(await heard(after))[0], (await heard(after))[0]] == ["One.", "Two."]
    assert after.asked_live == 1
    assert len(Tape.read(path).answers) == 2


def test_what_is_no_recording_is_refused(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"key": 1}\n')
    with pytest.raises(InvalidTape, match=r"a\.jsonl:1 is no recorded answer"):
        Tape.read(tmp_path / "a.jsonl")
    with pytest.raises(InvalidTape, match="cannot be read"):
        Tape.read(tmp_path / "none.jsonl.gz")
