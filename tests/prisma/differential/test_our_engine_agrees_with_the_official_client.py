"""Operations that hypothesis makes from the DMMF give the same results, errors and rows in both clients.

`DIFFERENTIAL_EXAMPLES=1000 pytest tests/prisma/differential -k agrees` searches further, each time elsewhere.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.prisma.differential.chosen import chosen
from tests.prisma.differential.conftest import Bench
from tests.prisma.differential.operations import ACTIONS, Json

pytestmark = [pytest.mark.service, pytest.mark.timeout(1200)]

# 17 kinds of operation with 25 examples each are 425 operations, and half as many before them, on each provider.
LEAST = 400  # operations, on each provider
EXAMPLES = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "25"))
SEARCH = settings(
    max_examples=EXAMPLES,
    derandomize="DIFFERENTIAL_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def after_another(bench: Bench, last: st.SearchStrategy[Json]) -> st.SearchStrategy[list[Json]]:
    """The operation on the seed, or on what one operation before it has left."""
    return st.tuples(st.lists(bench.operations.any(), max_size=1), last).map(lambda drawn: [*drawn[0], drawn[1]])


def search(bench: Bench, operations: st.SearchStrategy[list[Json]]) -> None:
    @SEARCH
    @given(operations)
    def compare(sequence: list[Json]) -> None:
        bench.compare(sequence)

    cast_compare: Any = compare
    cast_compare()


@pytest.mark.parametrize("action", ACTIONS)
def test_every_operation_agrees(bench: Bench, action: str):
    before = bench.pair.ran[action]
    search(bench, after_another(bench, bench.operations.one(action)))
    assert bench.pair.ran[action] - before >= EXAMPLES


def test_operations_in_one_transaction_agree(bench: Bench):
    search(bench, after_another(bench, bench.operations.batch()))


def test_suspected_operations_agree(bench: Bench):
    differences: list[str] = []
    for sequence in chosen(bench.provider):
        try:
            bench.compare(sequence)
        except AssertionError as error:
            differences.append(str(error)[-2000:])
    assert not differences, "\n\n".join(differences)


def test_enough_operations_were_compared(bench: Bench):
    assert bench.pair.ran.total() >= LEAST
    assert len(bench.pair.errors) > 5  # among them errors of several kinds
