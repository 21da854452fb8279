"""The rules of `tools.orders.check`, by what they look at."""
