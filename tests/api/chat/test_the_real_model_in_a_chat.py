"""The embedded model, asked by OpenAI's client over a served app: a question, and an answer in a schema."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.api.chat.test_openai_client import answer as text_of
from tests.api.chat.test_openai_client import ask, said, user
from tests.support.server_process import Server, run_server

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def real(chat_database: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with run_server({"DATABASE_URL": chat_database}, folder=tmp_path_factory.mktemp("cwd")) as server:
        yield server


class Customer(BaseModel):
    name: str
    email: str


@pytest.mark.timeout(600)
def test_the_model_looks_up_answers_and_fills_a_form(real: Server):
    with OpenAI(base_url=f"{real.url}/v1", api_key="unused", max_retries=0, timeout=500) as client:
        question = user("What is the e-mail address of the customer ACME?")
        stream = client.chat.completions.create(model="deskclerk", messages=[question], stream=True)
        first = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert "orders@acme.example" in first
        parsed = client.chat.completions.parse(
            model="deskclerk",
            messages=[question, said(first), user("Give me name and e-mail address of that customer as JSON.")],
            response_format=Customer,
        )
        assert parsed.choices[0].message.parsed is not None
        assert parsed.choices[0].message.parsed.email == "orders@acme.example"
        assert text_of(ask(client, user("Say hello.")))
