"""Compiled plans by the shape of their operation, the least recently used thrown away first."""

from __future__ import annotations

import threading
from collections import OrderedDict

from prisma.engine.plan.compile import Plan

LARGE_SHAPE = 32 * 1024  # bytes; `createMany` of many rows has a shape for each number of rows: not worth keeping


class PlanCache:
    """Bounded and thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._plans: OrderedDict[bytes, Plan] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._plans)

    def get(self, shape: bytes) -> Plan | None:
        plan = self._plans.get(shape)
        if plan is not None:
            with self._lock:
                if shape in self._plans:
                    self._plans.move_to_end(shape)
        return plan

    def put(self, shape: bytes, plan: Plan) -> None:
        if len(shape) > LARGE_SHAPE:
            return
        with self._lock:
            self._plans[shape] = plan
            if len(self._plans) > self._size:
                self._plans.popitem(last=False)
