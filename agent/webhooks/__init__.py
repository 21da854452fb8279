"""Telling another system that a run rests: signed, retried, none lost. See docs/how-to/receive-webhooks.md."""
