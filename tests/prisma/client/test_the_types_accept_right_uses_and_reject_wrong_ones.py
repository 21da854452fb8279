"""pyright --strict over `tests/prisma/typing`: each line says which errors it expects (`# E: rule, rule`), or none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLES = Path(__file__).parents[1] / "typing"
EXPECTED = re.compile(r"# E: (.+)$")
Errors = dict[str, list[str]]


def expected_errors() -> Errors:
    """`file:line` -> rules."""
    found: Errors = {}
    for path in sorted(SAMPLES.glob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if match := EXPECTED.search(line):
                found[f"{path.name}:{number}"] = sorted(rule.strip() for rule in match[1].split(","))
    return found


def reported_errors(folder: Path) -> Errors:
    """As `expected_errors`, from pyright on a copy of the samples: the project's own settings leave them out."""
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    files = [shutil.copy(path, folder) for path in SAMPLES.glob("*.py")]
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(folder)]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["summary"]["filesAnalyzed"] == len(files)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item in report["generalDiagnostics"]:
        line = item["range"]["start"]["line"] + 1
        found[f"{Path(item['file']).name}:{line}"].add(item.get("rule", item["message"]))
    return {place: sorted(rules) for place, rules in found.items()}


@pytest.mark.service  # pyright runs on Node
def test_pyright_reports_the_errors_that_the_samples_expect_and_no_others(tmp_path: Path):
    expected = expected_errors()
    assert len(expected) > 50
    assert reported_errors(tmp_path) == expected
