"""One form of log for everything, and no secret in it, by whichever way it comes."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api.observing.logs import configure_logging
from api.observing.redaction import CREDENTIALS, Redactor
from api.request_id import begin_request

PASSWORD = 'pa"ss/w\\ord-ö1'
SECRETS = (PASSWORD, "sk_live_0002")

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def open_log(**options: Any) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(stream=stream, secrets=SECRETS, **options)
    return stream


class Order(BaseModel):
    amount: int


def log_everything(secret: str) -> None:
    """By every way that a value gets into a log."""
    log = logging.getLogger("some.library")
    log.info("in the text %s", secret)
    log.info("a field", extra={"field": secret, "deep": {"list": [secret]}})
    structlog.get_logger("ours").info("by structlog", value=secret)
    try:
        raise RuntimeError(f"refused: {secret}")
    except RuntimeError:
        log.exception("an error")
    log.warning("an object %r", Holder(secret))


class Holder:
    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Holder({self.value})"


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_known_secret_leaves_by_no_way(form: str, secret: str):
    stream = open_log(format=form)
    log_everything(secret)
    written = stream.getvalue()
    assert written.count("[secret]") >= 6
    for hidden in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert hidden not in written


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("connect postgresql://clerk:hunter2@db/desk", "hunter2"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("key sk_test_51Habcdefgh", "51Habcdefgh"),
        ("signs whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("AUTHORIZATION: BEARER abc.def-123", "abc.def-123"),
        ("authorization: basic Y2xlcms6aHVudGVyMg==", "Y2xlcms6aHVudGVyMg"),
        ("keys pk-live-51Habcdefgh", "51Habcdefgh"),
        ("keys rk_test_51Habcdefgh", "51Habcdefgh"),
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("around", ["%s", "Zugang für %s"])
def test_what_looks_like_a_credential_is_masked_though_nobody_knows_it(form: str, around: str, text: str, secret: str):
    stream = open_log(format=form)
    logging.getLogger("x").info(around, text)
    logging.getLogger("x").info("a field", extra={"field": around % text})
    structlog.get_logger("x").info("by structlog", value=around % text)
    assert secret not in stream.getvalue()
    assert stream.getvalue().count("[secret]") == 3


def test_one_line_may_hold_secrets_of_every_kind():
    stream = open_log()
    text = f"{PASSWORD} Bearer abc.def sk_test_51Habcdefgh whsec_MfKQ9r8GKY a://b:hunter2@c eyJhbGciOiJI.eyJzdWIi.c2ln"
    logging.getLogger("x").info(text)
    masked = "[secret] Bearer [secret] [secret] [secret] a://b:[secret]@c [secret]"
    assert json.loads(stream.getvalue())["event"] == masked


def all_patterns(text: str) -> str:
    """`text` after every substitution, whether or not there is a sign that it is needed."""
    for _, pattern, instead in CREDENTIALS:
        text = pattern.sub(instead, text)
    return text


PIECES = st.one_of(
    st.sampled_from(
        ["bearer", "Basic", "Ba\u017fic x", "BAS\u0130C x", "bEaReR x", "eyJ", "sk", "rk-", "whsec_", "://"]
    ),
    st.sampled_from(["_", " ", ".", "@", ":", "ü", "[secret]"]),
    *[st.from_regex(pattern) for _, pattern, _ in CREDENTIALS],
    st.text(max_size=12),
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
@example("Ba\u017fic abc")
@example("BAS\u0130C abc")
def test_looking_for_signs_first_masks_no_less(text: str):
    assert Redactor(content=True)(text) == all_patterns(text)


KNOWN = st.one_of(st.sampled_from([*SECRETS, PASSWORD[:5], "sk_", "Bearer "]), st.text(max_size=5))


@settings(deadline=None)
@given(st.lists(KNOWN).map("".join))
def test_known_secrets_are_masked_before_what_looks_like_one(text: str):
    plain = text
    for secret in sorted(SECRETS, key=len, reverse=True):
        plain = plain.replace(secret, "[secret]")
    assert Redactor(SECRETS, content=True)(text) == all_patterns(plain)


@pytest.mark.parametrize("content", [False, True])
def test_an_error_of_validation_quotes_what_was_sent_only_where_content_is_wanted(content: bool):
    stream, sent = open_log(content=content), {"amount": " ".join(("my", "dear", "grand" + "mother"))}
    try:
        Order.model_validate(sent)
    except ValidationError:
        logging.getLogger("x").exception("broken")
    assert ("grandmother" in stream.getvalue()) is content
    assert "amount" in stream.getvalue()


def test_a_line_is_json_with_the_ids_of_its_context():
    stream = open_log()
    structlog.contextvars.bind_contextvars(run_id="run_1", user_id="ann")
    begin_request("req-of-mine-1")
    logging.getLogger("agent.runner").warning("run_lost", extra={"attempt": 2})
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run_lost",
        "level": "warning",
        "logger": "agent.runner",
        "attempt": 2,
        "request_id": "req-of-mine-1",
        "run_id": "run_1",
        "user_id": "ann",
    }


def test_the_level_holds_for_everybody():
    stream = open_log(level="warning")
    logging.getLogger("x").info("unheard")
    structlog.get_logger("y").info("unheard")
    logging.getLogger("x").warning("heard")
    assert stream.getvalue().count("heard") == 1
