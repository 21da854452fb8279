"""Each exception that the libraries under the backends can raise becomes a ModelError; a new one fails here first."""

from __future__ import annotations

import inspect
import json
from types import ModuleType

import aiohttp
import httpx
import ollama
import pytest

from agent.llm.backends import ollama as ollama_backend
from agent.llm.backends import openai as openai_backend
from agent.llm.errors import (
    ContextOverflow,
    MalformedAnswer,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    StreamBroken,
)
from agent.llm.http import Failures, bare_url, credentials, transport

SERVER = "Ollama at http://127.0.0.1:11434"
FAILURES = Failures(
    server=SERVER,
    model="qwen3:8b",
    when_down="Is it running?",
    when_missing="Fetch it with `ollama pull qwen3:8b`.",
    context=lambda: "It reads 8192 tokens.",
)

# What cannot come, or only when our own code misuses the library, which is a bug and stays one.
UNMAPPED = {
    aiohttp.EofStream,  # inside its readers only
    aiohttp.WebSocketError,  # no web socket is opened
    httpx.StreamError,
    httpx.StreamConsumed,
    httpx.StreamClosed,
    httpx.ResponseNotRead,
    httpx.RequestNotRead,
    httpx.CookieConflict,
    ollama.RequestError,
}


def raised_by(library: ModuleType) -> set[type[Exception]]:
    kinds = {kind for _, kind in inspect.getmembers(library, inspect.isclass) if issubclass(kind, Exception)}
    return {kind for kind in kinds if not issubclass(kind, Warning)} - UNMAPPED


def of_any(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor wants; the mapping looks at the type only."""
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("backend", "library"),
    [
        (ollama_backend, httpx),
        (ollama_backend, aiohttp),
        (ollama_backend, ollama),
        (openai_backend, httpx),
        (openai_backend, aiohttp),
    ],
    ids=["ollama-httpx", "ollama-aiohttp", "ollama-ollama", "openai-httpx", "openai-aiohttp"],
)
def test_every_exception_of_the_libraries_is_caught(backend: object, library: ModuleType):
    caught: tuple[type[Exception], ...] = vars(backend)["RAISED"]
    missed = [kind.__name__ for kind in raised_by(library) if not issubclass(kind, caught)]
    assert missed == []


@pytest.mark.parametrize("kind", sorted(raised_by(httpx) | raised_by(aiohttp), key=str))
def test_every_exception_becomes_an_error_that_says_what_happened(kind: type[Exception]):
    before = FAILURES.of_exception(of_any(kind), started=False)
    assert type(before) in {ModelUnavailable, MalformedAnswer, ModelError}
    assert SERVER in before.message
    during = FAILURES.of_exception(of_any(kind), started=True)
    assert isinstance(during, StreamBroken)
    assert kind.__name__ in during.message


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), ModelUnavailable),
        (httpx.ReadTimeout("slow"), ModelUnavailable),
        (httpx.UnsupportedProtocol("ftp"), ModelError),
        (httpx.InvalidURL("?"), ModelError),
        (json.JSONDecodeError("", "", 0), MalformedAnswer),
        (AttributeError("a list has no 'get'"), MalformedAnswer),
        (ConnectionError("Failed to connect to Ollama"), ModelUnavailable),
    ],
)
def test_what_happened_before_the_answer_decides_the_kind(error: Exception, expected: type[ModelError]):
    assert type(FAILURES.of_exception(error, started=False)) is expected


@pytest.mark.parametrize(
    ("status", "said", "expected", "hint"),
    [
        (404, "model 'qwen3:8b' not found", ModelNotFound, "ollama pull qwen3:8b"),
        (400, "the input length exceeds the context length", ContextOverflow, "It reads 8192 tokens"),
        (500, "the prompt is longer than the context length currently available", ContextOverflow, "8192"),
        (400, "This model's maximum context length is 4096 tokens.", ContextOverflow, "8192"),
        (503, "server busy, please try again.  maximum pending requests exceeded", ModelUnavailable, "server busy"),
        (429, "slow down", ModelUnavailable, "slow down"),
        (401, "unauthorized", ModelUnavailable, "refused the credentials"),
        (500, "llama runner process has terminated", ModelError, "llama runner process has terminated"),
        (500, "", ModelError, "status 500"),
    ],
)
def test_an_error_answer_becomes_its_own_kind(status: int, said: str, expected: type[ModelError], hint: str):
    error = FAILURES.of_status(status, said)
    assert type(error) is expected
    assert hint in error.message


def test_user_and_password_of_a_url_are_used_and_not_shown():
    url = "https://clerk:s3cret@models.example/v1/"
    assert bare_url(url) == "https://models.example/v1"
    assert credentials(url) == ("clerk", "s3cret")
    assert credentials("http://127.0.0.1:11434") is None


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("http://127.0.0.1:11434", False),
        ("localhost:11434", False),
        ("http://[::1]:8000/v1", False),
        ("http://clerk:s3cret@localhost:8000/v1", False),
        ("https://models.example/v1", True),
        ("gpu.office:11434", True),
    ],
)
async def test_proxies_are_used_for_other_machines_only(url: str, used: bool):
    client = transport(url).get_client()
    assert client.trust_env is used
    await client.close()
