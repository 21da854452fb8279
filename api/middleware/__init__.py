"""Pure ASGI only: `BaseHTTPMiddleware` costs more per streamed token than the rest of the server together."""
