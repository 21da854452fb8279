"""`deskclerk evals` is there, though `api` does not know `evals`."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from api.cli.plugged import plug_in


def test_the_commands_of_evals_are_found_by_entry_point():
    app = typer.Typer()
    plug_in(app)
    result = CliRunner().invoke(app, ["evals", "--help"])
    assert result.exit_code == 0, result.output
    assert "say whether it got worse" in result.output
