"""How much a user, key or address may ask for: requests, tokens, streams. What runs at once: `agent/admission.py`."""
