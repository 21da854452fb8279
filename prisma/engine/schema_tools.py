"""Prisma's own reading of schema.prisma: data model (DMMF), validation, formatting."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from typing import Any

import orjson

from prisma.assets import Progress, silent
from prisma.engine.wasm.host import WasmInstance
from prisma.engine.wasm.module import load_module
from prisma.errors import EnginePanicError, SchemaError

FILE_NAME = "schema.prisma"


class SchemaTools:
    """Thread-safe. Blocks: a document takes milliseconds, the first one loads the module."""

    def __init__(self, *, progress: Progress = silent) -> None:
        self._lock = threading.Lock()
        self._module = load_module("schema", progress=progress)
        self._instance = WasmInstance(self._module)

    def dmmf(self, schema: str) -> dict[str, Any]:
        """The data model and all input and output types: what Prisma's generators read.

        Raises:
            SchemaError: The schema is not valid.
        """
        return orjson.loads(self._text("get_dmmf", json.dumps({"prismaSchema": schema}), fails=True))

    def config(self, schema: str) -> dict[str, Any]:
        """Datasources, generators and warnings of the schema."""
        parameters: dict[str, Any] = {
            "prismaSchema": schema,
            "datasourceOverrides": {},
            "ignoreEnvVarErrors": True,
            "env": {},
        }
        answer = orjson.loads(self._text("get_config", json.dumps(parameters), fails=False))
        if errors := answer.get("errors"):
            raise SchemaError("\n".join(str(error.get("message", error)) for error in errors))
        return answer.get("config", answer)

    def validate(self, schema: str) -> None:
        """Nothing when the schema is valid.

        Raises:
            SchemaError: It is not; the message names line and reason.
        """
        with self._lock:
            try:
                pointer, length = self._instance.pass_string(json.dumps({"prismaSchema": schema}))
                error, failed = self._instance.call("validate", pointer, length)
                if failed:
                    raise schema_error(self._instance.take(error))
            except EnginePanicError:
                self._instance = WasmInstance(self._module)
                raise

    def lint(self, schema: str) -> list[dict[str, Any]]:
        """Warnings and errors with their position."""
        return orjson.loads(self._text("lint", json.dumps([[FILE_NAME, schema]]), fails=False))

    def format(self, schema: str) -> str:
        """The schema as `prisma format` writes it."""
        parameters = {"textDocument": {"uri": f"file:/{FILE_NAME}"}, "options": {"tabSize": 2, "insertSpaces": True}}
        formatted = self._text("format", json.dumps([[FILE_NAME, schema]]), json.dumps(parameters), fails=False)
        return orjson.loads(formatted)[0][1]

    def _text(self, name: str, *arguments: str, fails: bool) -> str:
        """Call an export that takes and gives strings; one that can fail has its error in two more results."""
        with self._lock:
            try:
                passed = [number for text in arguments for number in self._instance.pass_string(text)]
                answer = self._instance.call(name, *passed)
                if fails and answer[3]:
                    raise schema_error(self._instance.take(answer[2]))
                text = self._instance.read_string(answer[0], answer[1])
                self._instance.free(answer[0], answer[1])
                return text
            except EnginePanicError:
                self._instance = WasmInstance(self._module)
                raise


def schema_error(thrown: Any) -> SchemaError:
    """The error for what the module threw: a text, or JSON that holds one."""
    text = str(thrown)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    return SchemaError(re.sub(r"\x1b\[[0-9;]*m", "", text))
