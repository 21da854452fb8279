"""Rows: what a query returns."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

FROM_QUERY: Any = Field()
"""In place of a default where there is none, but the class that is inherited from has one."""


class NotLoadedError(AttributeError):
    """A relation or field was read that the query did not ask for."""


class Row(BaseModel, frozen=True):
    """A row of a table. Immutable: to change a record, update it."""

    model_config = ConfigDict(defer_build=True, protected_namespaces=(), populate_by_name=True)

    @classmethod
    def link(cls, names: Mapping[str, type[Any]]) -> None:
        """Let pydantic find these names in the annotations of the class, whose module cannot import them."""
        module = vars(sys.modules[cls.__module__])
        for name, value in names.items():
            module.setdefault(name, value)

    if not TYPE_CHECKING:  # otherwise every misspelt attribute would have a type

        def __getattr__(self, name: str) -> Any:
            fields = type(self).model_fields
            if name in fields:
                verb = "include" if "WithRelations" in type(self).__name__ else "select"
                raise NotLoadedError(f"{type(self).__name__}.{name} was not loaded: name it in `{verb}`.")
            return super().__getattr__(name)

    def __repr_args__(self) -> Any:
        return list(self.__dict__.items())
