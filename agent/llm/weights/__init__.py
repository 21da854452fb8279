"""Model files of the embedded backend: which are known, which are here, and how to get one."""

from agent.llm.weights.assemble import InstalledModel, installed, pull
from agent.llm.weights.catalog import DEFAULT, KnownModel, known

__all__ = ["DEFAULT", "InstalledModel", "KnownModel", "installed", "known", "pull"]
