from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from jsonschema import Draft202012Validator

from agent.messages import ToolCall
from evals.outside.bfcl.asking import ask, conversation
from evals.outside.bfcl.convert import Malformed, arguments_schema, read, step_schema, to_theirs, written
from evals.outside.bfcl.gold import KINDS, contradiction, gold, mutants
from evals.outside.bfcl.theirs import CATEGORIES, Row, complaint, rows
from tests.support.scripted_model import ScriptedModel, Step

ROW = Row(
    id="multiple_x",
    category="multiple",
    question="Turn left for 3 seconds.",
    functions=[
        {
            "name": "robot.turn",
            "description": "Turn.",
            "parameters": {
                "type": "dict",
                "properties": {
                    "way": {"type": "string", "enum": ["left", "right"]},
                    "seconds": {"type": "float"},
                    "steps": {"type": "tuple", "items": {"type": "integer"}},
                    "how": {"type": "dict", "properties": {"fast": {"type": "boolean"}}},
                },
                "required": ["way", "seconds"],
            },
        }
    ],
    right=[{"robot.turn": {"way": ["left"], "seconds": [3.0, 3], "steps": ["", [1]], "how": [{"fast": [True]}]}}],
)


def test_their_types_are_ours_and_names_keep_their_dots():
    schema = step_schema(ROW)
    Draft202012Validator.check_schema(schema)
    (step,) = schema["properties"]["calls"]["items"]["anyOf"]
    assert step["required"] == ["robot.turn"]
    arguments = step["properties"]["robot.turn"]
    assert arguments["required"] == ["way", "seconds"]
    kinds = {name: inner.get("type", "enum") for name, inner in arguments["properties"].items()}
    assert kinds == {"way": "enum", "seconds": "number", "steps": "array", "how": "object"}
    assert schema["properties"]["calls"]["maxItems"] == 1
    assert arguments_schema({"type": "any"})["type"] == "string"


def test_right_calls_are_written_and_read_back():
    (call,) = read(written(gold(ROW)))
    assert (call.tool, call.arguments) == ("robot.turn", {"way": "left", "seconds": 3.0, "how": {"fast": True}})
    Draft202012Validator(step_schema(ROW)).validate({"calls": to_theirs([call])})  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize("text", ["", "[]", '{"calls": 1}', '{"calls": [1]}', '{"calls": [{}]}', '{"answer": "x"}'])
def test_what_is_no_call_is_told_as_such(text: str):
    with pytest.raises(Malformed):
        read(text)


@pytest.mark.service  # no server: every row, 30 s; the package comes by `make bfcl`
def test_every_row_that_can_be_right_passes_and_every_mistake_is_refused():
    everything = [row for category in CATEGORIES for row in rows(category)]
    assert len(everything) == 2351
    random, tried, taken = Random(1), Counter[str](), list[str]()
    refused: dict[str, str | None] = {}
    for row in everything:
        if complaint(row, to_theirs(read(written(gold(row))))) is not None:
            refused[row.id] = contradiction(row)
        for kind, calls in mutants(row, random):
            tried[kind] += 1
            if complaint(row, to_theirs(read(written(calls)))) is None:
                taken.append(f"{row.id}: {kind}")
    # The answers of these four exclude their own function's doc: no call whatsoever passes.
    assert refused == {
        "live_simple_106-63-0": "no value of auto_loan_payment_start is right, and it is required",
        "live_simple_112-68-0": "no value of acc_routing_start is right, and it is required",
        "live_multiple_862-181-3": "journey_start_time is asked for, and Trains_1_FindTrains has no such argument",
        "live_multiple_964-207-0": "question is asked for, and transfer_to_human_agent has no such argument",
    }
    assert taken == []
    assert set(tried) == set(KINDS)
    assert all(count > 2000 for count in tried.values()), tried


@pytest.mark.service  # no server: their checker, which comes by `make bfcl`
async def test_a_model_is_asked_under_the_schema_and_judged_by_their_checker():
    right = written(
        [ToolCall(id="1", tool="robot.turn", arguments={"way": "left", "seconds": 3, "how": {"fast": True}})]
    )
    model = ScriptedModel([Step(raw=[right]), Step(raw=[right.replace("left", "right")]), Step(raw=["no"])])
    assert await ask(ROW, model) == (right, None)
    assert (await ask(ROW, model))[1] == "value_error:string"
    assert (await ask(ROW, model))[1] == "no calls in 'no'"
    assert model.schemas[0] == step_schema(ROW)
    assert "robot.turn" in conversation(ROW)[0].content
