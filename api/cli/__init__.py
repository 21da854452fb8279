"""The `deskclerk` command. Modules here import what is heavy inside their functions, so that `--help` is fast."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from api.cli.commands import app
    from api.cli.plugged import plug_in

    plug_in(app)
    app()
