"""`python -m agent.policy` writes the schema for editors again."""

from __future__ import annotations

import json
from pathlib import Path

from agent.policy.model import json_schema

(Path(__file__).parent / "policy.schema.json").write_text(f"{json.dumps(json_schema(), indent=2)}\n")
