"""What a provider says of itself: where to send people, where to get tokens, by which keys to verify them."""

from __future__ import annotations

import logging
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from jwt import PyJWK, PyJWKSet, PyJWTError
from pydantic import AfterValidator, BaseModel, ValidationError

from api.auth.settings import Provider
from api.problems import Problem
from api.settings import is_loopback

log = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds
FRESH_FOR = 3600.0  # seconds
KEYS_AT_MOST_EVERY = 10.0  # seconds, when a token names a key that we do not know
LARGEST = 256 * 1024  # bytes


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("must begin with https://")
    return url


SafeUrl = Annotated[str, AfterValidator(_safe)]


class Configuration(BaseModel):
    """OpenID Connect Discovery 1.0, what we use of it."""

    issuer: str
    authorization_endpoint: SafeUrl
    token_endpoint: SafeUrl
    jwks_uri: SafeUrl
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False


def unavailable(provider: str) -> Problem:
    return Problem(
        502, "provider_unavailable", f"The sign-in of {provider!r} cannot be used now; see the server's log."
    )


class Discovery:
    """Reads and remembers what one provider says of itself."""

    def __init__(self, name: str, provider: Provider) -> None:
        self._name = name
        self._provider = provider
        self._configuration: tuple[float, Configuration] | None = None
        self._keys: tuple[float, dict[str | None, PyJWK]] | None = None

    async def configuration(self) -> Configuration:
        """Its configuration, at most an hour old.

        Raises:
            Problem: 502 `provider_unavailable`: it does not answer, or with the configuration of another issuer.
        """
        if self._configuration is not None and time.monotonic() - self._configuration[0] < FRESH_FOR:
            return self._configuration[1]
        found = await self._get(f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            configuration = Configuration.model_validate(found)
        except ValidationError as error:
            raise self._trouble(f"its configuration is not valid: {error.error_count()} errors") from None
        if configuration.issuer != self._provider.issuer:
            raise self._trouble("its configuration names another issuer")
        self._configuration = (time.monotonic(), configuration)
        return configuration

    async def key(self, kid: str | None) -> PyJWK | None:
        """Its key of that name, its only key where the token names none; read again when it is not known.

        Raises:
            Problem: 502 `provider_unavailable`.
        """
        if self._keys is not None:
            read_at, known = self._keys
            if time.monotonic() - read_at < (FRESH_FOR if kid in known else KEYS_AT_MOST_EVERY):
                return known.get(kid)
        found = await self._get((await self.configuration()).jwks_uri)
        try:
            keys = PyJWKSet.from_dict(found).keys
        except (PyJWTError, AttributeError, TypeError):
            raise self._trouble("its keys cannot be read") from None
        known: dict[str | None, PyJWK] = {key.key_id: key for key in keys if key.public_key_use in {None, "sig"}}
        if len(known) == 1:
            known[None] = next(iter(known.values()))
        self._keys = (time.monotonic(), known)
        return known.get(kid)

    async def _get(self, url: str) -> Any:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client:
                answer = await client.get(url)
            if answer.status_code != 200 or len(answer.content) > LARGEST:
                raise self._trouble(f"{url} answers {answer.status_code}")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._trouble(f"{url}: {type(error).__name__}") from None

    def _trouble(self, what: str) -> Problem:
        log.warning("provider %s: %s", self._name, what)
        return unavailable(self._name)
