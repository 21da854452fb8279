"""What is measured, and the data it is measured on. Both sides do each of these; neither may do less."""

from __future__ import annotations

from typing import Protocol

TENANT = "tenant"
CUSTOMERS = 1000
ORDERS = 400
LINES = 5  # of an order
PAGE = 20  # orders that find_many reads, each with its lines


class Side(Protocol):
    """One client on its own copy of the database."""

    name: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def find_unique(self, number: int) -> object:
        """A customer by its id."""
        ...

    async def find_many_with_include(self, number: int) -> object:
        """Orders from an id on, each with its lines, in order."""
        ...

    async def create(self, key: str) -> object:
        """A customer, and its row as the database has it."""
        ...

    async def nested_create(self, key: str) -> object:
        """An order with its lines in one transaction, and the order's row."""
        ...
