"""Grounded decoding: a model may only copy what names a thing in the world, and every such value has an origin.

grounding = Grounding(currencies=settings.currencies)                 # once a thread; dump() and load() in between
grounding.observe_user(text); grounding.observe_document("doc_7", name="po.pdf")
history: user messages as with_documents(text, [("doc_7", "po.pdf")]), results as result_text(tool, result)
messages = [*prompt(tools, company=..., today=..., native=...), *render(history, native=...)]
a model without native tools: backend.stream(messages, schema=grounding.step_schema(tools)), read by StepReader
a model with native tools:    backend.stream(messages, tools=grounding.tool_specs(tools)), then unknown(tool, args)
before a call: origins(tool, args); once answered: observe_call(...); if it succeeded: observe_result(...)
"""

from agent.grounding.grounding import Grounding
from agent.grounding.prompt import prompt
from agent.grounding.reader import StepReader
from agent.grounding.render import fenced, harmless, origin_of_text, render, result_text, with_documents
from agent.grounding.step import Step

__all__ = [
    "Grounding",
    "Step",
    "StepReader",
    "fenced",
    "harmless",
    "origin_of_text",
    "prompt",
    "render",
    "result_text",
    "with_documents",
]
