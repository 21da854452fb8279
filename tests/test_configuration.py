"""docs/configuration.md lists every setting, and nothing that is none."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic_settings import BaseSettings

from agent.llm.settings import LlmSettings
from agent.settings import AgentSettings
from api.auth.settings import AuthSettings
from api.settings import ApiSettings, ClientSettings
from tools.settings import ToolSettings

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
READ_BY_THE_CACHE = {"DESKCLERK_CACHE"}


def variables(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {str(field.validation_alias or prefix + name).upper() for name, field in settings.model_fields.items()}


def test_every_setting_is_documented_and_nothing_else_is():
    settings = (AgentSettings, LlmSettings, ToolSettings, ApiSettings, AuthSettings, ClientSettings)
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.M))
    assert documented == {name for one in settings for name in variables(one)} | READ_BY_THE_CACHE
