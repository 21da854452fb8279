"""Purchase orders: what one is, and whether it agrees with itself and with our records."""

from tools.orders.order import Order

__all__ = ["Order"]
