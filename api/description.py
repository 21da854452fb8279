"""The OpenAPI document: FastAPI's own, with the schema of the problems that every route may answer."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI

from api.problems import ProblemDetails

_REFERENCES = "#/components/schemas/{model}"


def describe_problems(app: FastAPI) -> None:
    """Put `ProblemDetails` among the document's schemas; `api.problems.documented` refers to it."""
    plain = app.openapi

    def with_problems() -> dict[str, Any]:
        document = plain()
        schema = ProblemDetails.model_json_schema(ref_template=_REFERENCES)
        inner = cast("dict[str, Any]", schema.pop("$defs", {}))
        document["components"]["schemas"] |= {"ProblemDetails": schema, **inner}
        return document

    app.openapi = with_problems
