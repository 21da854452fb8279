"""`deskclerk models ...`."""

from __future__ import annotations


def list_models() -> None:
    """Print a table of the known weights."""
    from agent.llm.weights import DEFAULT, installed, known

    here = {model.name: model.path for model in installed()}
    for model in known().values():
        mark = "*" if model.name == DEFAULT else " "
        print(f"{mark} {model.name:<20} {model.size / 1e9:5.1f} GB  {model.licence:<11} {here.get(model.name, '-')}")
    print("* is what DESKCLERK_LLM=embedded uses; `deskclerk models pull NAME` fetches one.")


def pull(name: str | None) -> None:
    """Fetch weights, unless they are here already, and print where they lie."""
    from agent.llm.weights import DEFAULT
    from agent.llm.weights import pull as fetch
    from api.cli.progress import show_progress

    with show_progress() as on_progress:
        path = fetch(name or DEFAULT, on_progress)
    print(path)
