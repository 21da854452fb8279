"""How the command line reads events and results, apart from how it prints them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from agent import events
from agent.answers import parse_events
from agent.events import RunEvent
from agent.records import StoredEvent
from api.cli.reading import Finding, flatten, parse, shorten, show, summarise
from api.sse import HEARTBEAT, frame

STREAM = [
    StoredEvent(1, "run.started", b'{"run_id":"r","thread_id":"t","model":"m"}'),
    StoredEvent(2, "token", '{"text":"a\u2028b\x85c"}'.encode()),
    StoredEvent(3, "token", b'{"text":"data: x\\n\\n"}'),
    StoredEvent(4, "run.finished", b'{"status":"succeeded"}'),
]


async def in_pieces(data: bytes, sizes: Sequence[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_a_stream_is_read_the_same_however_it_is_cut(size: int):
    data = HEARTBEAT + b"".join(frame(event) + HEARTBEAT for event in STREAM)
    sizes = [size] * (len(data) // size)
    assert [event async for event in parse_events(in_pieces(data, sizes))] == STREAM


async def test_an_event_that_was_cut_off_is_not_told():
    data = frame(STREAM[0]) + frame(STREAM[1])[:-1]
    assert [event async for event in parse_events(in_pieces(data, []))] == STREAM[:1]


def test_every_type_of_event_is_known_here():
    def kinds(kind: type[RunEvent]) -> set[type[RunEvent]]:
        return {kind for child in kind.__subclasses__() for kind in {child, *kinds(child)}}

    names = {"run_id": "r", "thread_id": "t", "model": "m", "text": "x", "call_id": "c", "tool": "t", "effect": "read"}
    more: dict[str, Any] = {
        "arguments": {},
        "origins": {},
        "approval_id": "a",
        "digest": "d",
        "expires_at": "2026-01-01T00:00:00Z",
        "attempt": 2,
    }
    for kind in kinds(RunEvent):
        fields = {**names, **more, "status": "failed", "guard": "g", "verdict": "ask", "reason": "r"}
        example = kind.model_validate(fields)
        stored = StoredEvent(1, kind.type, example.model_dump_json().encode())
        assert parse(stored) == example


def test_an_event_of_a_newer_server_is_passed_over():
    assert parse(StoredEvent(1, "run.dreamed", b"{}")) is None


def test_a_field_that_a_newer_server_added_is_ignored():
    stored = StoredEvent(1, "message", b'{"text":"done","mood":"good"}')
    assert parse(stored) == events.Message(text="done")


def test_findings_are_set_apart_from_a_result():
    summary = summarise(
        {
            "order": "PO-7",
            "findings": [{"severity": "blocking", "code": "price", "message": "12.00 EUR, not 11.50 EUR"}, "odd"],
            "notes": "",
            "paid": False,
            "lines": [],
        }
    )
    assert summary.findings == [Finding("blocking", "12.00 EUR, not 11.50 EUR"), Finding("note", "odd")]
    assert summary.fields == [("order", "PO-7"), ("paid", "no")]


def test_a_long_list_is_told_by_its_first_items_and_its_length():
    lines = [{"description": f"Chair {n}", "quantity": "2"} for n in range(7)]
    assert show(lines) == "2 x Chair 0; 2 x Chair 1; 2 x Chair 2; 2 x Chair 3; and 3 more"


def test_an_order_is_told_by_number_buyer_size_and_total():
    order = {
        "number": "PO-1",
        "buyer": {"name": "ACME"},
        "currency": "EUR",
        "totals": {"payable": "9.00"},
        "lines": [1],
    }
    assert show(order) == "PO-1 of ACME, 1 line, 9.00 EUR"
    assert show({"number": "PO-1", "lines": [1, 2]}) == "PO-1, 2 lines"


def test_arguments_are_named_by_the_paths_that_their_origins_have():
    arguments = {"customer": "cus_acme", "lines": [{"sku": "A-1", "quantity": 2}], "note": None, "tags": []}
    assert list(flatten(arguments)) == [
        ("customer", "cus_acme"),
        ("lines[0].sku", "A-1"),
        ("lines[0].quantity", "2"),
        ("note", "-"),
        ("tags", "[]"),
    ]


def test_text_of_a_document_cannot_move_the_cursor_or_forge_a_line():
    assert shorten("ok\x1b[2J\x1b[1;1H\r\napproved: yes\u202e", 100) == "ok [2J [1;1H approved: yes"
    assert shorten("x" * 50, 10) == "x" * 9 + "\N{HORIZONTAL ELLIPSIS}"
