"""Operation -> plan, for one schema on one kind of database."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable

from prisma.assets import Progress
from prisma.drivers.base import Driver
from prisma.engine.param_graph import ParamGraph, load_param_graph
from prisma.engine.plan.compile import Plan, compile_plan
from prisma.engine.plan_cache import PlanCache
from prisma.engine.plan_sources import Compiler, PlanSources, sources_folder

MAX_KEPT = 8  # schemas that a process keeps ready: more than one is for tests and for programs with several databases


class Planner:
    """The graph and the plans of a schema. Thread-safe, shared by the engines of a process."""

    def __init__(self, sources: PlanSources, graph: ParamGraph, driver: Driver, *, cache_size: int) -> None:
        self._sources = sources
        self.graph = graph
        self.plans = PlanCache(cache_size)
        self._bind = driver.bind
        self._max_parameters = driver.max_parameters

    def compile(self, shape: bytes, parameters: int) -> Plan:
        """The plan of a shape, which is kept. Blocks for some milliseconds: call it off the event loop."""
        source = self._sources.get(shape)
        plan = compile_plan(source, parameters=parameters, bind=self._bind, max_parameters=self._max_parameters)
        self.plans.put(shape, plan)
        return plan


_KEPT: dict[str, Planner] = {}
_LOCK = threading.Lock()


def load_planner(schema: str, driver: Driver, *, cache_size: int, progress: Progress) -> Planner:
    """The planner for a schema, made once a process. Blocks: call it off the event loop.

    Raises:
        EngineSetupError: The compiler cannot be had.
        SchemaError: The schema is not valid.
    """
    name = hashlib.sha256(schema.encode()).hexdigest()
    key = f"{name} {driver.provider} {driver.schema_name} {cache_size}"
    with _LOCK:
        planner = _KEPT.get(key)
        if planner is None:

            def make_compiler() -> Compiler:
                from prisma.engine.compiler import QueryCompiler  # slow to import, and rarely needed

                return QueryCompiler(schema, driver.provider, schema_name=driver.schema_name, progress=progress)

            folder = sources_folder(schema, driver.provider, driver.schema_name)
            sources = PlanSources(make_compiler, folder)
            graph = load_param_graph(schema, progress=progress)
            planner = Planner(sources, graph, driver, cache_size=cache_size)
            while len(_KEPT) >= MAX_KEPT:
                _KEPT.pop(next(iter(_KEPT)))
            _KEPT[key] = planner
        return planner


class Compilations:
    """Compiles in threads; a shape that several tasks want at once is compiled once. For one event loop."""

    def __init__(self) -> None:
        self._running: dict[bytes, asyncio.Task[Plan]] = {}

    async def plan(self, shape: bytes, compile_shape: Callable[[], Plan]) -> Plan:
        """What `compile_shape` gives, which runs in a thread."""
        task = self._running.get(shape)
        if task is None:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(compile_shape))
            self._running[shape] = task
            task.add_done_callback(lambda done: self._ended(shape, done))
        # Who is cancelled stops waiting; the compilation goes on for the others and for the cache.
        return await asyncio.shield(task)

    def _ended(self, shape: bytes, task: asyncio.Task[Plan]) -> None:
        del self._running[shape]
        if not task.cancelled():
            task.exception()  # heard by whoever still waits; nobody need be left to hear it
