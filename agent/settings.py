"""What can be configured about the agent. Read once, in `create_app` or the command line."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AgentSettings(BaseSettings):
    """`DESKCLERK_MAX_STEPS=20` and so on, from the environment or `.env`. The defaults suit one order end to end."""

    model_config = SettingsConfigDict(env_prefix="DESKCLERK_", env_file=".env", extra="ignore", frozen=True)

    llm: Annotated[str, Field(description="embedded | ollama:<model> | openai:<model> | scripted:<file>")] = "embedded"
    max_steps: Annotated[int, Field(ge=1, description="Model calls in one run.")] = 16
    max_tokens: Annotated[
        int, Field(ge=1, description="Input and output tokens of one run, all its steps together.")
    ] = 200_000
    max_answer_tokens: Annotated[int, Field(ge=1, description="Output tokens of one step.")] = 2_048
    max_seconds: Annotated[
        float, Field(gt=0, description="Working time of one run; waiting for a person is not counted.")
    ] = 600.0
    max_input_chars: Annotated[int, Field(ge=1, description="Longest request.")] = 20_000
    max_calls: Annotated[int, Field(ge=1, description="Tool calls in one step.")] = 16
    history_tokens: Annotated[
        int, Field(ge=0, description="Earlier messages of the thread that the model is given.")
    ] = 6_000
    approval_hours: Annotated[float, Field(gt=0, description="How long a person has to decide.")] = 72.0
    currencies: Annotated[tuple[str, ...], Field(description="ISO 4217 codes the company works in.")] = (
        "EUR",
        "USD",
        "GBP",
    )
    seed: Annotated[int | None, Field(description="Fixes the model's choices where it can be fixed.")] = None
