"""Our engine as one of the two clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prisma.engine import Engine, EngineOptions
from prisma.errors import DataError, EngineError, UnsupportedPlanError
from prisma.migrate.urls import Provider
from tests.prisma.differential.comparison import Outcome, ordered
from tests.prisma.differential.official import schema_text
from tests.prisma.differential.operations import Json
from tests.prisma.differential.protocol import json_query, normal

_VALIDATION = frozenset({"P2009", "P2012"})


def relations_of(dmmf: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """For each model, the model that each of its relation fields leads to."""
    return {
        model["name"]: {field["name"]: field["type"] for field in model["fields"] if field["kind"] == "object"}
        for model in dmmf["datamodel"]["models"]
    }


class Ours:
    def __init__(self, engine: Engine, relations: Mapping[str, Mapping[str, str]]) -> None:
        self.engine = engine
        self.relations = relations

    @classmethod
    async def start(
        cls, provider: Provider, url: str, dmmf: Mapping[str, Any], options: EngineOptions | None = None
    ) -> Ours:
        engine = Engine.create(schema=schema_text(provider), url=url, options=options or EngineOptions())
        await engine.connect()
        return cls(engine, relations_of(dmmf))

    async def outcome(self, operation: Json) -> Outcome:
        try:
            result = await self.execute(operation)
        except UnsupportedPlanError:
            raise
        except EngineError as error:  # the compiler panicked or gave up: so it does in the other client
            return Outcome(error="other", message=str(error))
        except DataError as error:
            # The JavaScript client makes a class without a code of what the compiler calls a validation error.
            return Outcome(error="validation" if error.code in _VALIDATION else error.code, message=str(error))
        return Outcome(ordered(operation, normal(result)))

    async def execute(self, operation: Json) -> Any:
        if "batch" in operation:
            return await self.engine.batch([json_query(one, self.relations) for one in operation["batch"]])
        return await self.engine.execute(json_query(operation, self.relations))

    async def close(self) -> None:
        await self.engine.disconnect()
