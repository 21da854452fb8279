from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm import sse
from agent.llm.sse import EventParser


def feed(*received: bytes) -> list[str]:
    parser = EventParser()
    return [data for piece in received for data in parser.feed(piece)]


def test_an_event_is_given_when_its_empty_line_has_come():
    parser = EventParser()
    assert list(parser.feed(b"data: one\n")) == []
    assert list(parser.feed(b"\n")) == ["one"]


def test_lines_of_one_event_are_joined_and_comments_left_out():
    assert feed(b": ping\ndata: a\ndata:b\nevent: x\n\n") == ["a\nb"]


def test_only_one_space_after_the_colon_belongs_to_the_form():
    assert feed(b"data:  a \n\n") == [" a "]


def test_a_comment_alone_is_no_event():
    assert feed(b": keep-alive\n\n: again\n\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_is_known(end: bytes):
    assert feed(b"data: a" + end + end + b"data: b" + end + end + b"\n") == ["a", "b"]


@given(
    st.lists(st.text(st.characters(blacklist_characters="\r\n", codec="utf-8"), min_size=1), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 7),
)
def test_events_come_out_the_same_wherever_the_bytes_are_cut(events: list[str], end: str, size: int):
    sent = "".join(f"data: {event}{end}{end}" for event in events).encode()
    assert feed(*(sent[start : start + size] for start in range(0, len(sent), size))) == events


def test_a_line_without_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sse, "LARGEST_LINE", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        feed(b"data: 0123456789")
