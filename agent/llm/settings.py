"""How a model is run; read once, in `create_app` or the CLI. Which model is `DESKCLERK_LLM`, of `agent/settings.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LlmSettings(BaseSettings):
    """Environment variables (or lines of `.env`) that concern the model."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    tools: Annotated[
        Literal["auto", "native", "schema"],
        Field(
            validation_alias="DESKCLERK_LLM_TOOLS",
            description="Trust the model's own tool calls: always, never, or only where it was measured (auto).",
        ),
    ] = "auto"
    temperature: Annotated[float, Field(validation_alias="DESKCLERK_LLM_TEMPERATURE", ge=0, le=2)] = 0.0
    max_tokens: Annotated[
        int, Field(validation_alias="DESKCLERK_LLM_MAX_TOKENS", ge=1, description="Longest answer, in tokens.")
    ] = 1024
    context_tokens: Annotated[
        int | None,
        Field(
            validation_alias="DESKCLERK_LLM_CONTEXT",
            ge=512,
            description="Longest conversation, in tokens. Default: 8192; for `openai` what the server says.",
        ),
    ] = None
    think: Annotated[
        bool, Field(validation_alias="DESKCLERK_LLM_THINK", description="Let a thinking model think first.")
    ] = False

    slots: Annotated[
        int, Field(validation_alias="DESKCLERK_LLM_SLOTS", ge=1, le=64, description="`embedded`: answers at once.")
    ] = 2
    threads: Annotated[
        int | None,
        Field(
            validation_alias="DESKCLERK_LLM_THREADS",
            ge=1,
            description="`embedded`: default is one a core, and half of that on a crowded machine.",
        ),
    ] = None

    ollama_host: Annotated[str, Field(validation_alias="OLLAMA_HOST")] = "http://127.0.0.1:11434"
    ollama_keep_alive: Annotated[
        str, Field(validation_alias="OLLAMA_KEEP_ALIVE", description="How long Ollama keeps the model loaded.")
    ] = "30m"

    openai_base_url: Annotated[str, Field(validation_alias="OPENAI_BASE_URL")] = "http://127.0.0.1:8000/v1"
    openai_api_key: Annotated[SecretStr | None, Field(validation_alias="OPENAI_API_KEY")] = None

    connect_timeout_seconds: Annotated[float, Field(validation_alias="DESKCLERK_LLM_CONNECT_TIMEOUT", gt=0)] = 5.0
    token_timeout_seconds: Annotated[
        float,
        Field(
            validation_alias="DESKCLERK_LLM_TOKEN_TIMEOUT",
            gt=0,
            description="Longest silence of a server; the first token may have to wait for the model to load.",
        ),
    ] = 300.0
