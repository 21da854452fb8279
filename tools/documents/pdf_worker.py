"""Run as a program of its own: a PDF on standard input, its text as JSON on standard output.

A process, so that a document that makes the parser loop or swell is ended for good; it imports nothing of ours.
Arguments: most pages, most characters, seconds of CPU, bytes of memory. Answers `{"pages": [text, ...]}` or
`{"error": code, "detail": ...}`.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any


def limit_resources(cpu_seconds: int, memory_bytes: int) -> None:
    """Ask the system to end this process past these limits, where it can (POSIX)."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock is the only limit
        return
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def read(data: bytes, max_pages: int, max_characters: int) -> dict[str, Any]:
    """Text of each page, laid out as on the page so that the columns of a table stay columns."""
    from pypdf import PdfReader
    from pypdf.errors import LimitReachedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"error": "encrypted"}
        if (count := len(reader.pages)) > max_pages:
            return {"error": "too_many_pages", "detail": count}
        pages: list[str] = []
        for page in reader.pages:
            pages.append(page.extract_text(extraction_mode="layout"))
            if sum(map(len, pages)) > max_characters:
                return {"error": "too_much_text", "detail": max_characters}
    except (LimitReachedError, MemoryError, RecursionError) as error:
        return {"error": "too_complex", "detail": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - pypdf meets broken files with whatever the breakage causes
        return {"error": "damaged", "detail": f"{type(error).__name__}: {error}"[:200]}
    return {"pages": pages}


def main() -> None:
    max_pages, max_characters, cpu_seconds, memory_bytes = (int(argument) for argument in sys.argv[1:5])
    limit_resources(cpu_seconds, memory_bytes)
    answer = read(sys.stdin.buffer.read(), max_pages, max_characters)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
