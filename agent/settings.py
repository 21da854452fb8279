"""What can be configured about the agent. Read once, in `create_app` or the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.topics import Topic
from agent.webhooks.signing import parse_secrets


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
    look_ahead: Annotated[
        int, Field(ge=64, le=1_024, description="Characters of an answer that guards may hold back while it streams.")
    ] = 64
    topics: Annotated[
        dict[str, Topic], Field(description='What may be asked about and by whom: {"pay": {"words": [], "roles": []}}.')
    ] = Field(default_factory=dict[str, Topic])
    off_topic: Annotated[
        Literal["allow", "refuse"], Field(description="What becomes of a request that speaks of none of the topics.")
    ] = "allow"
    durable: Annotated[
        Literal["on", "off"], Field(description="Record every step, so that runs survive the process that began them.")
    ] = "on"
    max_running: Annotated[int, Field(ge=1, description="Runs at work at once, in one process.")] = 256
    max_queued: Annotated[
        int, Field(ge=0, description="Runs that may wait for that; beyond, a request is refused (429).")
    ] = 1_024
    max_running_each: Annotated[
        int,
        Field(ge=1, description="Runs of one user at work at once, in one process; more wait though others do not."),
    ] = 32
    max_queued_each: Annotated[
        int, Field(ge=0, description="Runs of one user that may wait; beyond, their next request is refused (429).")
    ] = 128
    max_runs_key: Annotated[
        int, Field(ge=1, description="Runs with one API key that are at work or wait, in one process; beyond, 429.")
    ] = 64
    max_runs_address: Annotated[
        int, Field(ge=1, description="The same, from one address, where addresses are counted.")
    ] = 640
    model_slots: Annotated[
        int | None,
        Field(ge=1, description="Calls of the model at once, in one process, shared fairly between users."),
    ] = None
    multitask: Annotated[
        Literal["reject", "enqueue", "interrupt"],
        Field(description="What a request does on a thread whose run has not ended, unless it says so itself."),
    ] = "reject"
    self_approval: Annotated[
        Literal["allow", "refuse"],
        Field(description="Whether whoever asked may approve, where their roles let them decide at all."),
    ] = "allow"
    webhook_url: Annotated[
        str, Field(repr=False, description="Told of every run that rests: an http(s) address; empty for nobody.")
    ] = ""
    webhook_secret: Annotated[
        SecretStr,
        Field(validate_default=True, description="`whsec_` and base64; several, separated by spaces, all sign."),
    ] = SecretStr("")
    policy: Annotated[
        Path | None,
        Field(description="A `policy.yaml`: who may do what, and what a person is asked; else the built-in."),
    ] = None
    tools: Annotated[
        Path | None, Field(description="A `tools.yaml`: LangChain and MCP tools, each with an effect; else none.")
    ] = None
    seed: Annotated[int | None, Field(description="Fixes the model's choices where it can be fixed.")] = None

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("it begins with https:// or http://")
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _signs(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        keys = parse_secrets(secret.get_secret_value())
        if info.data.get("webhook_url") and not keys:
            raise ValueError("DESKCLERK_WEBHOOK_URL needs it: webhooks are signed")
        return secret
