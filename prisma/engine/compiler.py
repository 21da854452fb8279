"""Prisma's query compiler: an operation in, a query plan out."""

from __future__ import annotations

import threading
from typing import Any

from prisma.assets import Progress, silent
from prisma.engine.compiler_errors import compile_error
from prisma.engine.types import Provider
from prisma.engine.wasm.host import UNDEFINED, JsError, WasmInstance
from prisma.engine.wasm.module import load_module
from prisma.errors import EngineError, EnginePanicError, SchemaError

ADAPTER_OF: dict[Provider, str] = {"sqlite": "sqlite", "postgresql": "postgres"}


class QueryCompiler:
    """The compiler for one schema. Thread-safe; blocks for some milliseconds a query, so call it off the event loop."""

    def __init__(
        self, schema: str, provider: Provider, *, schema_name: str | None = None, progress: Progress = silent
    ) -> None:
        """Load the module and read the schema.

        Args:
            schema_name: PostgreSQL's schema that holds the tables; `public` when None.

        Raises:
            EngineSetupError: The module cannot be had.
            SchemaError: The schema is not valid.
        """
        self._parameters = {
            "datamodel": schema,
            "provider": ADAPTER_OF[provider],
            "connectionInfo": {
                "supportsRelationJoins": provider == "postgresql",
                "schemaName": UNDEFINED if schema_name is None else schema_name,
                "maxBindValues": UNDEFINED,
            },
        }
        self._lock = threading.Lock()
        self._module = load_module(provider, progress=progress)
        self._start()

    def compile(self, request: str) -> dict[str, Any]:
        """The plan of one operation given as JSON.

        Raises:
            InputError: The operation does not fit the schema.
            EnginePanicError: The compiler panicked; it has been started anew.
        """
        with self._lock:
            try:
                pointer, length = self._instance.pass_string(request)
                plan, error, failed = self._instance.call("querycompiler_compile", self._address, pointer, length)
                if failed:
                    raise compile_error(self._instance.take(error))
                return self._instance.take(plan)
            except EnginePanicError:
                self._start()
                raise

    def _start(self) -> None:
        self._instance = WasmInstance(self._module)
        address, error, failed = self._instance.call("querycompiler_new", self._parameters)
        if failed:
            raise _schema_error(self._instance.take(error))
        self._address = int(address) & 0xFFFFFFFF


def _schema_error(thrown: Any) -> Exception:
    if isinstance(thrown, JsError):
        return SchemaError(str(thrown))
    return EngineError(f"The query compiler cannot be made: {thrown!r}")
