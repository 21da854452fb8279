"""One line in the log when a run begins and one when it rests. What was said only where the operator asked for it."""

from __future__ import annotations

import logging

from agent.observer import ModelCalled, Observer, RunBegan, RunRested

log = logging.getLogger("deskclerk.runs")


class RunLog(Observer):
    """Writes runs to the log.

    Args:
        content: Requests and answers too.
    """

    def __init__(self, *, content: bool) -> None:
        self._content = content

    def run_began(self, run: RunBegan) -> None:
        fields = {"run_id": run.run_id, "thread_id": run.thread_id, "model": run.model, "resumed": run.resumed}
        if self._content:
            fields["input"] = run.input
        log.info("run_began", extra=fields)

    def model_called(self, call: ModelCalled) -> None:
        log.debug(
            "model_called",
            extra={
                "run_id": call.run_id,
                "model": call.model,
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "seconds": round(call.seconds, 3),
                "error_code": call.error,
            },
        )

    def run_rested(self, rest: RunRested) -> None:
        fields: dict[str, object] = {
            "run_id": rest.run_id,
            "model": rest.model,
            "status": rest.status,
            "error_code": rest.error,
            "steps": rest.usage.steps,
            "input_tokens": rest.usage.input_tokens,
            "output_tokens": rest.usage.output_tokens,
            "queue_ms": rest.timing.queue_ms,
            "first_token_ms": rest.timing.first_token_ms,
            "seconds": round(rest.seconds, 3),
        }
        if self._content:
            fields["answer"] = rest.answer
        log.info("run_rested", extra=fields)

    def run_left(self, run_id: str) -> None:
        log.info("run_left", extra={"run_id": run_id})
