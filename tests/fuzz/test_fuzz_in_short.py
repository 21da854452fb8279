"""A few requests of each route, made from the OpenAPI document: no 500, and no answer that is not documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzz import fuzz, fuzzed_server, keys_of_all_roles

pytestmark = pytest.mark.service


async def test_nothing_that_can_be_asked_is_a_bug_or_answered_otherwise_than_documented(
    postgres_url: str, tmp_path: Path
):
    keys = await keys_of_all_roles(postgres_url)
    with fuzzed_server(postgres_url, tmp_path) as server:
        found = fuzz(server, keys["admin"], examples=1, folder=tmp_path, phases="coverage")
    assert found.passed, found.report
    assert found.cases > 500
