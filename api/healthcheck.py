"""`python -m api.healthcheck`: 0 when this machine's server is ready. With the standard library alone, so it is quick.

Asked by the container's HEALTHCHECK, whose image has no curl.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

PATIENCE = 3.0  # seconds


def main(port: str | None = None) -> int:
    """0 when `/readyz` says 200, 1 when it does not or nobody answers; why goes to standard error."""
    port = port or os.environ.get("DESKCLERK_PORT", "8000")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE) as answer:
            return 0 if answer.status == 200 else 1
    except urllib.error.HTTPError as error:
        print(error.read(1000).decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
