"""docs/configuration.md lists every setting, and nothing that is none."""

from __future__ import annotations

import re
from pathlib import Path

from api.env_example import settings_classes, variables

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
READ_BY_THE_CACHE = {"DESKCLERK_CACHE"}


def test_every_setting_is_documented_and_nothing_else_is():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.M))
    known = {name for one in settings_classes() for name, _, _ in variables(one)}
    assert documented == known | READ_BY_THE_CACHE
