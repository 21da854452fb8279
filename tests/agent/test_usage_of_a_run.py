"""What a run cost stands in its row when it rests, and an observer is told of each answer and call once."""

from __future__ import annotations

from agent.observer import ModelCalled, Observer, RunBegan, RunRested, ToolCalled
from tests.agent.conftest import OpenOffice, principal
from tests.support.scripted_model import Step, asks, says


class Notes(Observer):
    def __init__(self) -> None:
        self.calls: list[ModelCalled] = []
        self.tools: list[ToolCalled] = []
        self.began: list[RunBegan] = []
        self.rests: list[RunRested] = []
        self.verdicts: list[tuple[str, str, str]] = []

    def run_began(self, run: RunBegan) -> None:
        self.began.append(run)

    def model_called(self, call: ModelCalled) -> None:
        self.calls.append(call)

    def tool_called(self, call: ToolCalled) -> None:
        self.tools.append(call)

    def judged(self, kind: str, rule: str, verdict: str) -> None:
        self.verdicts.append((kind, rule, verdict))

    def run_rested(self, rest: RunRested) -> None:
        self.rests.append(rest)


async def test_a_run_leaves_its_tokens_and_times_in_its_row(open_office: OpenOffice):
    notes = Notes()
    office = await open_office(
        [asks(("look_up", {"name": "ACME"})), Step(answer=("It ", "is ", "done."), pause=0.02)], observer=notes
    )
    run_id = await office.ask()
    await office.agent.wait(run_id)
    row = await office.db.run.find_unique_or_raise(where={"id": run_id})
    assert (row.input_tokens, row.output_tokens, row.queue_ms) == (200, 20, 0)
    assert row.first_token_ms is not None
    assert row.generation_ms >= 50
    assert [(call.finish, call.error, call.input_tokens, call.output_tokens) for call in notes.calls] == [
        ("stop", None, 100, 10)
    ] * 2
    assert notes.calls[1].first_token_seconds is not None
    assert notes.calls[1].first_token_seconds >= 0.02
    assert [(call.tool, call.status, call.error) for call in notes.tools] == [("look_up", "succeeded", None)]
    assert [(rest.status, rest.usage.output_tokens, rest.answer) for rest in notes.rests] == [
        ("succeeded", 20, "It is done.")
    ]
    assert ("guard", "allow") in {(kind, verdict) for kind, _, verdict in notes.verdicts}
    assert ("policy", "allow") in {(kind, verdict) for kind, _, verdict in notes.verdicts}


async def test_waiting_for_a_place_is_counted_as_waiting(open_office: OpenOffice):
    office = await open_office([says("one", pause=0.2), says("two")], max_running=1)
    first = await office.ask()
    other = await office.db.thread.create(data={"tenant_id": "default"})
    second = await office.ask(thread_id=other.id)
    for run_id in (first, second):
        await office.agent.wait(run_id)
    rows = [await office.db.run.find_unique_or_raise(where={"id": run_id}) for run_id in (first, second)]
    assert rows[0].queue_ms == 0
    assert rows[1].queue_ms >= 150


async def test_what_a_company_used_outlives_a_deleted_thread(open_office: OpenOffice):
    office = await open_office([says("Hello.")])
    run_id = await office.ask("A secret of mine.")
    await office.agent.wait(run_id)
    await office.agent.delete_thread(office.thread_id, principal=principal("admin"))
    row = await office.db.run.find_unique_or_raise(where={"id": run_id})
    assert (row.input, row.state, row.request, row.input_tokens) == ("", None, None, 100)
    assert await office.db.message.count() == 0
