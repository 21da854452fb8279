from __future__ import annotations

import pytest

from api.secrets import secret_values
from api.settings import ApiSettings
from tools.settings import ToolSettings


def test_keys_and_the_passwords_in_addresses_are_secrets_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://clerk:p%40ssword-1@db.example/deskclerk")
    monkeypatch.setenv("STRIPE_API_KEY", " sk_test_of_ours ")
    assert secret_values(ApiSettings(), ToolSettings()) == ("p@ssword-1", "sk_test_of_ours")
