"""Where a case is tried: an agent in this process, or a server by its URL."""
