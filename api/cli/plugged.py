"""Commands of packages that `api` may not import: entry points of our own distribution."""

from __future__ import annotations

from importlib.metadata import distribution

import typer

GROUP = "deskclerk.commands"


def plug_in(app: typer.Typer) -> None:
    """Add each typer app that the group names, under the entry point's name.

    Only our own distribution is asked: to look through all that is installed takes longer than most commands.
    """
    for point in distribution("deskclerk").entry_points.select(group=GROUP):
        app.add_typer(point.load(), name=point.name)
