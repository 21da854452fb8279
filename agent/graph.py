"""One turn, on one screen.

    guard_input -> model -> policy -> execute -> model ... -> guard_output
                              ^----------+  (the second wave of a step)

A run that waits for a person leaves the graph after `execute` with its calls still planned, and comes back to them past
the guards. Any node may end the run by raising; the ending is part of the state.
"""

from __future__ import annotations

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# LangGraph ships no type marker for `langgraph.graph`; its types end in this file.
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.call_step import execute_calls, judge_calls
from agent.deps import Deps
from agent.durable.base import DurableError, RecordsAway
from agent.emitter import Barrier, Emitted, Emitter
from agent.ending import INTERNAL, INTERRUPTED, SUCCEEDED, RunStopped, failed
from agent.events import Guarded, Message
from agent.model_step import call_model
from agent.state import RunState
from agent.steps import HandedOver, MoreFollows
from agent.verdicts import note_guard, note_passed
from prisma.errors import DatabaseConnectionError

log = logging.getLogger(__name__)

TurnGraph = CompiledStateGraph[RunState, Deps, RunState, RunState]
RECURSION_LIMIT = 10_000  # nodes in one stretch of work; our own limits are lower and end the run with a clear code


class Node(Protocol):
    """What a node is: the state and its surroundings in, what changes out."""

    async def __call__(self, state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]: ...


async def guard_input(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Nothing is answered before every guard has let the request through."""
    deps, request = runtime.context, state["messages"][-1].content
    if state["planned"] or deps.head.record is not None:
        return {}  # they have spoken: the model has answered already
    for guard in deps.services.input_guards:
        reason = guard.check(request, deps.guard_context)
        if reason is None:
            continue
        verdict = "allow" if guard.advises else "refuse"
        Emitter(runtime.stream_writer).emit(Guarded(guard=guard.name, verdict=verdict, reason=reason))
        if not guard.advises:
            raise RunStopped(failed("input_refused", reason))
    note_passed(deps, "guard.input", [guard.name for guard in deps.services.input_guards])
    return {}


async def guard_output(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """The answer passed the guards while it streamed; here it is whole."""
    Emitter(runtime.stream_writer).emit(Message(text=state["answer"]))
    note_passed(runtime.context, "guard.output", [guard.name for guard in runtime.context.services.output_guards])
    return {"ending": SUCCEEDED}


@dataclass(frozen=True, slots=True)
class Place:
    """A node, what comes after it, and what may. Besides, any node may end the run by raising."""

    node: Node
    after: Callable[[RunState], str]
    ways: tuple[str, ...]


PLACES = {
    "guard_input": Place(guard_input, lambda state: "execute" if state["planned"] else "model", ("model", "execute")),
    "model": Place(
        call_model, lambda state: "policy" if state["asked"] else "guard_output", ("policy", "guard_output")
    ),
    "policy": Place(judge_calls, lambda _: "execute", ("execute",)),
    "execute": Place(
        execute_calls,
        lambda state: "policy" if state["asked"] else END if state["planned"] else "model",
        ("policy", "model"),
    ),
    "guard_output": Place(guard_output, lambda _: END, ()),
}


@cache
def turn_graph() -> TurnGraph:
    """The compiled graph. It holds no state between turns: `runs.state` does.

    Nodes say themselves where to go on: a conditional edge costs a fifth of what LangGraph does for a run.
    """
    graph: StateGraph[RunState, Deps, RunState, RunState] = StateGraph(RunState, context_schema=Deps)
    for name, place in PLACES.items():
        graph.add_node(name, _step(place), destinations=(*place.ways, END))
    graph.add_edge(START, "guard_input")
    return graph.compile()


async def run_turn(state: RunState, deps: Deps) -> AsyncGenerator[Emitted | Barrier | RunState]:
    """Run the graph until it ends or waits: the events as they happen, and after each node the state."""
    stream = turn_graph().astream(
        state, {"recursion_limit": RECURSION_LIMIT}, context=deps, stream_mode=["custom", "values"]
    )
    async for mode, chunk in stream:
        if mode == "custom":
            note_guard(deps, cast("Emitted | Barrier", chunk))
            yield cast("Emitted | Barrier", chunk)
        else:
            yield cast("RunState", chunk)


def _step(place: Place) -> Callable[..., Awaitable[Command[str]]]:
    """What a node raises becomes the run's ending, unless it means that this process is not to end the run."""

    async def step(state: RunState, runtime: Runtime[Deps]) -> Command[str]:
        try:
            changed = await place.node(state, runtime)
        except RunStopped as stop:
            if stop.ending is INTERRUPTED and runtime.context.services.engine.durable:
                raise HandedOver from None
            changed = {"ending": stop.ending}
        except (HandedOver, MoreFollows, DurableError):
            raise
        except DatabaseConnectionError as away:
            raise RecordsAway(str(away)) from None
        except Exception:
            log.exception("run_bug", extra={"run_id": runtime.context.run_id})
            changed = {"ending": INTERNAL}
        after = cast("RunState", {**state, **changed})
        return Command(update=changed, goto=END if after["ending"] else place.after(after))

    return step
