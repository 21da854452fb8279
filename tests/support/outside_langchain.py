"""LangChain tools for tests: a plain `BaseTool` that reads, and one that leaves a countable trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool, ToolException


class CountWords(BaseTool):
    name: str = "count_words"
    description: str = "Count the words of a text."

    def _run(self, text: str) -> str:
        if not text.strip():
            raise ToolException("There is no text.")
        return f"{len(text.split())} words"


class LeaveTrace(BaseTool):
    name: str = "leave_trace"
    description: str = "Leave a trace in a file."
    path: str
    breaks: bool = False

    def _run(self, text: str) -> str:
        with Path(self.path).open("a") as file:
            file.write(f"{text}\n")
        if self.breaks:
            raise RuntimeError("the line went dead")
        return "left"


NO_TOOL: Any = "text"
