"""What depends on locks and transactions, once more on PostgreSQL: the same tests, another database."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from prisma import Prisma
from prisma.migrate.apply import migrate
from tests.agent.test_a_turn import (
    test_a_write_happens_once_and_is_in_the_ledger,
    test_an_answer_streams_as_tokens_and_is_stored_as_the_same_bytes,
    test_the_next_turn_remembers_the_one_before,
)
from tests.agent.test_approvals import (
    test_a_payment_waits_for_a_person_and_the_same_run_goes_on,
    test_approve_against_cancel_has_one_winner,
    test_fifty_decisions_at_once_execute_once,
    test_several_approvals_are_decided_one_by_one_and_the_run_goes_on_after_the_last,
    test_two_decisions_at_once_let_the_run_go_on_once,
)
from tests.agent.test_calls import test_when_one_call_has_a_bug_its_siblings_effects_are_recorded
from tests.agent.test_event_log import log, store, test_early_late_and_resuming_readers_get_the_same_bytes
from tests.agent.test_ledger import (
    ledger,
    test_a_failed_call_is_not_tried_again,
    test_the_same_call_at_the_same_time_takes_effect_once,
)
from tests.agent.test_lost_answers import (
    connection,
    test_whichever_commits_answer_is_lost_a_run_is_one_run,
)
from tests.agent.test_service import (
    test_of_ten_requests_at_once_one_runs,
    test_the_same_key_at_the_same_time_gives_one_run,
)

pytestmark = pytest.mark.service

__all__ = [
    "connection",
    "ledger",
    "log",
    "store",
    "test_a_failed_call_is_not_tried_again",
    "test_a_payment_waits_for_a_person_and_the_same_run_goes_on",
    "test_a_write_happens_once_and_is_in_the_ledger",
    "test_an_answer_streams_as_tokens_and_is_stored_as_the_same_bytes",
    "test_approve_against_cancel_has_one_winner",
    "test_early_late_and_resuming_readers_get_the_same_bytes",
    "test_fifty_decisions_at_once_execute_once",
    "test_of_ten_requests_at_once_one_runs",
    "test_several_approvals_are_decided_one_by_one_and_the_run_goes_on_after_the_last",
    "test_the_next_turn_remembers_the_one_before",
    "test_the_same_call_at_the_same_time_takes_effect_once",
    "test_the_same_key_at_the_same_time_gives_one_run",
    "test_two_decisions_at_once_let_the_run_go_on_once",
    "test_when_one_call_has_a_bug_its_siblings_effects_are_recorded",
    "test_whichever_commits_answer_is_lost_a_run_is_one_run",
]


@pytest_asyncio.fixture
async def database(postgres_url: str) -> AsyncGenerator[Prisma]:
    """As the SQLite fixture of the same name."""
    await migrate(postgres_url)
    async with Prisma(postgres_url) as db:
        await db.tenant.create(data={"id": "default", "name": "Demo company"})
        yield db
