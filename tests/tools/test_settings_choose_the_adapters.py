from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.invoicing import Ledger
from tools.search import Searxng
from tools.settings import ToolSettings, create_invoices, create_search


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DESKCLERK_SEARCH", "DESKCLERK_INVOICING", "STRIPE_API_KEY", "STRIPE_API_BASE"):
        monkeypatch.delenv(name, raising=False)


def test_by_default_nothing_outside_is_used():
    settings = ToolSettings()
    assert create_search(settings) is None
    assert isinstance(create_invoices(settings), Ledger)


async def test_a_search_engine_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKCLERK_SEARCH", "searxng:http://localhost:8888")
    search = create_search(ToolSettings())
    assert isinstance(search, Searxng)
    await search.close()


async def test_stripe_is_chosen_with_its_key_which_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKCLERK_INVOICING", "stripe")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_secret")
    settings = ToolSettings()
    invoices = create_invoices(settings)
    assert (invoices.name, invoices.local) == ("stripe", False)
    assert "sk_test_secret" not in repr(settings)
    await invoices.close()


def test_a_file_named_env_is_read(tmp_path: Path):
    (tmp_path / ".env").write_text("DESKCLERK_SEARCH=searxng:https://search.example\nOTHER=1\n")
    assert ToolSettings().search == "searxng:https://search.example"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DESKCLERK_SEARCH", "google", "neither 'off' nor like"),
        ("DESKCLERK_SEARCH", "searxng:ftp://x", "neither 'off' nor like"),
        ("DESKCLERK_INVOICING", "paper", "is not one of: ledger, stripe"),
        ("DESKCLERK_INVOICING", "stripe", "needs STRIPE_API_KEY"),
        ("STRIPE_API_BASE", "api.stripe.com", "is not like 'https://api.stripe.com'"),
    ],
)
def test_an_unknown_choice_is_refused_in_words(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=words):
        ToolSettings()
