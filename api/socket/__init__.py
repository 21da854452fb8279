"""A conversation over one WebSocket. What is said on it: docs/websocket.md."""
