"""PyPI `oidc-provider-mock` as a process of its own, and the person who signs in there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

START_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class OidcProvider:
    issuer: str

    def sign_in(self, authorization_url: str, subject: str, *, deny: bool = False) -> str:
        """Do what the person does at the provider's page; the address that their browser is sent back to."""
        form = {"action": "deny"} if deny else {"sub": subject}
        answer = httpx.post(authorization_url, data=form, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextmanager
def run_oidc_provider() -> Generator[OidcProvider]:
    """A provider on a port of its own, that insists on a nonce."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}")
        yield OidcProvider(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output = process.stdout.read().decode() if process.stdout else ""
            raise AssertionError(f"the provider ended with {process.returncode}: {output}")
        try:
            httpx.get(f"{url}/.well-known/openid-configuration")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the provider did not listen")
