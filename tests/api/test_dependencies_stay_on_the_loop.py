"""FastAPI runs a plain function in a thread: for what every request needs, that costs more than the request."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.routes import routers


def dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for child in dependant.dependencies:
        yield from dependants(child)


def test_no_route_and_no_dependency_needs_a_thread():
    routes = [route for router in routers() for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) > 10
    calls = {dependant.call for route in routes for dependant in dependants(route.dependant)}
    assert [call for call in calls if call is not None and not inspect.iscoroutinefunction(call)] == []
