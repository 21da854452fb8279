"""What holds for each file in agent/llm/backends; a new one is covered when it arrives."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from agent.llm.base import Backend
from agent.llm.create import create_backend, load, schemes
from agent.llm.errors import ModelError
from agent.llm.settings import LlmSettings


@pytest.fixture
def example(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A spec of the scheme that can be created without anything running."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": []}))
    scheme: str = request.param
    return {"embedded": "embedded", "scripted": f"scripted:{script}"}.get(scheme, f"{scheme}:some/model:8b")


every_backend = pytest.mark.parametrize("example", schemes(), indirect=True)


def test_the_backends_of_the_design_are_there():
    assert {"embedded", "ollama", "openai", "scripted"} <= set(schemes())


@every_backend
def test_it_is_made_without_asking_anyone(example: str):
    backend = create_backend(example, LlmSettings())
    assert backend.name == example
    assert backend.digest
    assert backend.native_tools in (True, False)
    assert backend.context_tokens > 0


@every_backend
def test_its_methods_take_what_the_protocol_says(example: str):
    backend = create_backend(example, LlmSettings())
    for name in ("start", "stop", "stream"):
        wanted = inspect.signature(getattr(Backend, name)).parameters
        assert list(inspect.signature(getattr(backend, name)).parameters) == [p for p in wanted if p != "self"]


@every_backend
async def test_it_can_be_stopped_without_having_been_started(example: str):
    backend = create_backend(example, LlmSettings())
    await backend.stop()
    await backend.stop()


@pytest.mark.parametrize("scheme", schemes())
def test_it_says_how_it_is_written(scheme: str):
    assert load(scheme).FORM.startswith(scheme)


@pytest.mark.parametrize("spec", ["", "gpt-4", "llama:x", "base", "../embedded"])
def test_an_unknown_backend_names_those_there_are(spec: str):
    with pytest.raises(ModelError, match=r"embedded\[:.*ollama:<model> \| openai:<model> \| scripted:") as caught:
        create_backend(spec, LlmSettings())
    assert repr(spec) in caught.value.message


@pytest.mark.parametrize("spec", ["ollama", "openai:"])
def test_a_server_without_a_model_says_what_is_missing(spec: str):
    with pytest.raises(ModelError, match="needs a model, like"):
        create_backend(spec, LlmSettings())


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OLLAMA_HOST", "gpu.office:11434")
    monkeypatch.setenv("DESKCLERK_LLM_TOOLS", "schema")
    settings = LlmSettings()
    assert settings.ollama_host == "gpu.office:11434"
    assert settings.tools == "schema"
    assert "sk-secret" not in repr(settings)
