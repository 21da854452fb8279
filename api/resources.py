"""What the API shows of each thing. Made from database rows and events; nothing else leaves the server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from agent.principal import Role, Scope
from agent.records import RunStatus
from agent.run_view import Approval, ApprovalStatus, Run
from tools.registry import Effect

__all__ = ["Approval", "ApprovalStatus", "Run"]  # shown as webhooks show them

T = TypeVar("T")

EffectStatus = Literal["reserved", "executed", "failed", "needs_reconcile"]


class Resource(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_enum_values=True)


class Page(BaseModel, Generic[T]):
    """Part of a list, newest first. `next` continues it as `?after=`; null at the end."""

    data: list[T]
    next: str | None = None


class Thread(Resource):
    """A conversation."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime


class ThreadMessage(Resource):
    """What was said: a person's request or the answer to it."""

    id: str
    run_id: str | None
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class ThreadRun(Resource):
    """A run, in short."""

    id: str
    status: RunStatus
    created_at: datetime


class ThreadDetails(Thread):
    """A conversation with what was said in it, oldest first."""

    messages: list[ThreadMessage]
    runs: list[ThreadRun]


class RunSummary(Resource):
    """A run in a list."""

    id: str
    thread_id: str
    status: RunStatus
    input: str
    model: str
    error_code: Annotated[str | None, Field(description="Of a run that failed or was cancelled.")]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class LedgerEffect(Resource):
    """A call that was to change something, and what is known of it; of `needs_reconcile` nobody knows."""

    id: str
    run_id: str
    call_id: str
    tool: str
    effect: Effect
    arguments: dict[str, Any]
    status: EffectStatus
    error_code: str | None
    provider: Annotated[str | None, Field(description="The system outside that was asked; null for our own database.")]
    settled_by: Annotated[str | None, Field(description="Who said what became of it when nobody knew.")]
    reserved_at: datetime
    started_at: Annotated[datetime | None, Field(description="When the system outside was first asked.")]
    finished_at: datetime | None


class Document(Resource):
    """A file that runs may be given."""

    id: str
    name: str
    media_type: Annotated[str, Field(description="Of the content, whatever the name says.")]
    size_bytes: int
    shared: Annotated[bool, Field(description="Everybody in the company may read and attach it.")]
    sha256: str
    created_at: datetime


class Me(BaseModel):
    """Who is asking."""

    tenant_id: str
    user_id: Annotated[str | None, Field(description="Null where nobody signs in.")]
    name: str | None
    roles: Annotated[list[Role], Field(description="What counts for this request, within `scopes`.")]
    scopes: Annotated[list[Scope] | None, Field(description="What the key or token is limited to; null for nothing.")]
    key_id: Annotated[str | None, Field(description="The personal key that was used.")]


class Model(BaseModel):
    """A model in OpenAI's form."""

    id: str
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="Seconds since 1970; 0 where unknown.")] = 0
    owned_by: str = "deskclerk"


class ModelList(BaseModel):
    """Models in OpenAI's form."""

    object: Literal["list"] = "list"
    data: list[Model]
