"""How well deskclerk streams: 200 runs at once from a model server with a schedule, and the bare limit beside it."""
