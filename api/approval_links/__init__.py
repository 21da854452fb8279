"""Signed addresses under which one person may look at one approval and decide it, once, on any device."""
