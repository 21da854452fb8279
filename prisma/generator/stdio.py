"""The generator as Prisma's own command line calls it: `provider = "python -m prisma.generator.stdio"`.

JSON-RPC, a line each: requests on standard input, answers on standard error (what `@prisma/generator-helper` does).
Standard output is the person's terminal.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from prisma.assets import VERSION
from prisma.errors import SchemaError
from prisma.generator import DEFAULT_OUTPUT, generate

FAILED = -32000
UNKNOWN_METHOD = -32601


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        if line.strip():
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request; an error is answered too, with what a person needs to mend it."""
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
    try:
        if request["method"] == "getManifest":
            reply["result"] = {"manifest": manifest()}
        elif request["method"] == "generate":
            run(request["params"])
            reply["result"] = None
        else:
            reply["error"] = {"code": UNKNOWN_METHOD, "message": f"Unknown method {request['method']!r}."}
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the caller waits for an answer
        reply["error"] = {"code": FAILED, "message": str(error), "data": {"stack": traceback.format_exc()}}
    return reply


def manifest() -> dict[str, Any]:
    """What Prisma shows of a generator and needs to know before it runs."""
    return {
        "prettyName": "deskclerk's Prisma Client for Python",
        "defaultOutput": DEFAULT_OUTPUT,
        "version": VERSION,
        "requiresEngines": [],
    }


def run(params: Mapping[str, Any]) -> None:
    """Generate the client that Prisma asks for.

    Raises:
        SchemaError: The schema is a folder of files, or is not valid.
    """
    schema = Path(params["schemaPath"])
    if not schema.is_file():
        raise SchemaError(f"{schema} is not a file: this generator reads a schema of one file.")
    generate(schema, params["generator"]["output"]["value"])


if __name__ == "__main__":
    serve(sys.stdin, sys.stderr)
