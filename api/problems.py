"""Errors as clients see them: RFC 9457 problem details with a stable `code`.

Every error, wherever it arises, leaves as `application/problem+json`. What a client sees is chosen here; a bug is
logged with the request's id and shows nothing of itself.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agent.errors import AgentError, Conflict, Forbidden, Invalid, NotFound, NotReady, TooBusy
from api.documents import DocumentRefused
from api.request_id import current_request_id
from prisma.errors import DatabaseConnectionError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
EVERYWHERE = (400, 401, 403, 405, 408, 413, 421, 422, 429, 500)  # what any route may answer


class InvalidField(BaseModel):
    """One thing that is wrong with a request; `path` is where, like `body.documents.0`."""

    path: str
    message: str


class ProblemDetails(BaseModel):
    """RFC 9457. `code` is stable and meant for programs, `detail` for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: Annotated[list[InvalidField] | None, Field(description="What is wrong, by field.")] = None
    progress: Annotated[dict[str, Any] | None, Field(description="With `not_ready` only: what is loading.")] = None
    error: Annotated[str | None, Field(description="Of token routes: the code where OAuth 2.0 clients look.")] = None
    parts: Annotated[dict[str, str] | None, Field(description="With `not_ready` only: each part, `ok` or why not.")] = (
        None
    )


class Problem(HTTPException):
    """Raised by a route to answer with a problem. `code` is stable; `detail` may be shown to anyone who may ask."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        progress: dict[str, Any] | None = None,
        oauth: bool = False,
        errors: list[InvalidField] | None = None,
        parts: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=headers)
        self.code = code
        self.oauth = oauth
        self.progress = progress
        self.errors = errors
        self.parts = parts


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[InvalidField] | None = None,
    progress: dict[str, Any] | None = None,
    oauth: bool = False,
    parts: dict[str, str] | None = None,
) -> Response:
    """The answer itself."""
    body = ProblemDetails(
        type=f"urn:deskclerk:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=current_request_id(),
        errors=errors,
        progress=progress,
        error=code if oauth else None,
        parts=parts,
    )
    return Response(body.model_dump_json(exclude_none=True), status, headers, media_type=MEDIA_TYPE)


# What Starlette and FastAPI themselves raise, by status.
_CODES = {
    400: ("malformed_request", "The request's body could not be read."),
    404: ("route_not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    408: ("request_timeout", "The request did not arrive in time."),
    413: ("body_too_large", "The request's body is too large."),
}

# The agent's own errors, the first that fits.
_STATUSES: tuple[tuple[type[AgentError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Invalid, 422),
    (NotReady, 503),
    (TooBusy, 429),
)


_DOCUMENT_STATUSES = {"document_empty": 422, "document_too_large": 413, "document_unsupported": 415}


def status_of(error: AgentError) -> int:
    """The HTTP status that says what the agent said."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return problem_response(
            error.status_code,
            error.code,
            error.detail,
            headers=error.headers,
            progress=error.progress,
            oauth=error.oauth,
            errors=error.errors,
            parts=error.parts,
        )
    code, detail = _CODES.get(error.status_code, ("http_error", HTTPStatus(error.status_code).phrase))
    return problem_response(error.status_code, code, detail, headers=error.headers)


async def _on_invalid(_: Request, error: Exception) -> Response:
    """Says where and why, never what was sent: that may be a secret."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem_response(400, "malformed_json", "The request's body is not JSON.")
    errors = [InvalidField(path=".".join(map(str, item["loc"])), message=item["msg"]) for item in found]
    return problem_response(422, "validation_failed", "The request is not valid; see `errors`.", errors=errors)


async def _on_agent(_: Request, error: Exception) -> Response:
    assert isinstance(error, AgentError)
    seconds = error.retry_after_seconds if isinstance(error, TooBusy) else 1.0 if isinstance(error, NotReady) else None
    headers = None if seconds is None else {"Retry-After": str(math.ceil(seconds))}
    return problem_response(status_of(error), error.code, error.message, headers=headers)


async def _on_document(_: Request, error: Exception) -> Response:
    assert isinstance(error, DocumentRefused)
    return problem_response(_DOCUMENT_STATUSES[error.code], error.code, error.message)


async def _on_database_away(_: Request, error: Exception) -> Response:
    """Nothing is lost: what was recorded goes on, and whoever asks again with the same key gets the same run."""
    log.warning("database_away", extra={"error": type(error).__name__})
    detail = "The database cannot be reached; try again in a moment."
    return problem_response(503, "database_unavailable", detail, headers={"Retry-After": "1"})


def install_problem_handlers(app: FastAPI) -> None:
    """Every error of a route becomes a problem; `api.middleware.errors` sees to the ones that are bugs."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(AgentError, _on_agent)
    app.add_exception_handler(DocumentRefused, _on_document)
    app.add_exception_handler(DatabaseConnectionError, _on_database_away)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a router's or route's `responses=`: these statuses answer with problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
