"""Private keys at rest: sealed with DESKCLERK_SECRET_KEY where set, so that a copy of the database signs nothing."""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

_SEALED = "sealed:v1:"
_NONCE = 12  # bytes


def seal(plain: str, secret: SecretStr | None, *, name: str) -> str:
    """`plain` sealed for `name`; itself where there is no secret."""
    if secret is None:
        return plain
    nonce = os.urandom(_NONCE)
    sealed = nonce + _cipher(secret).encrypt(nonce, plain.encode(), name.encode())
    return _SEALED + base64.b64encode(sealed).decode()


def unseal(kept: str, secret: SecretStr | None, *, name: str) -> str | None:
    """What was sealed for `name`; None where the secret is another or missing."""
    if not kept.startswith(_SEALED):
        return kept
    if secret is None:
        return None
    sealed = base64.b64decode(kept.removeprefix(_SEALED))
    try:
        return _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode()).decode()
    except InvalidTag:
        return None


def _cipher(secret: SecretStr) -> AESGCM:
    key = HKDF(SHA256(), 32, salt=None, info=b"deskclerk signing keys").derive(secret.get_secret_value().encode())
    return AESGCM(key)
