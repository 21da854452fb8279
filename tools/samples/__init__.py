"""The demo company and the purchase orders it gets; `orders/README.md` says what must come of each."""

from pathlib import Path

ORDERS = Path(__file__).parent / "orders"
