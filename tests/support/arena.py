"""A served desk with people, things of two companies, every kind of credential; and what must stay as it is."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.principal import Role
from api.auth.passwords import hash_password
from api.auth.users import add_user, disable_user
from tests.support.server_process import Server

PASSWORD = "correct horse battery"
PEOPLE: dict[str, tuple[str, Role]] = {
    "ann": ("default", "clerk"),
    "vera": ("default", "viewer"),
    "boss": ("default", "admin"),
    "otto": ("other", "admin"),
    "gone": ("default", "admin"),
}
# What an attack must not change. Counters that say when something was used are left out.
STATE = {
    "User": "id, tenant_id, name, email, password_hash, disabled_at",
    "UserRole": "user_id, role",
    "AuthSession": "id, user_id, scopes, expires_at, revoked_at",
    "ApiKey": "id, user_id, name, hash, scopes, expires_at, revoked_at",
    "OAuthIdentity": "issuer, subject, user_id",
    "OAuthPending": "state_hash",
    "AuthTicket": "hash",
    "SigningKey": "kid, retired_at, verifies_until",
    "Thread": "id, tenant_id, user_id, title, deleted_at",
    "Run": "id, tenant_id, user_id, status",
    "Document": "id, tenant_id, user_id, name, sha256",
    "Approval": "id, status, decided_by_id",
    "Effect": "id, status, settled_by",
    "Payment": "id, status",
}


@dataclass
class Arena:
    server: Server
    file: Path
    http: httpx.Client
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    keys: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    ids: dict[str, str] = field(default_factory=dict[str, str])  # `thread`, `run`, ... of otto, in the other company

    def as_(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]['access_token']}"}

    def with_key(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[name]['key']}"}

    def state(self) -> dict[str, list[Any]]:
        with sqlite3.connect(self.file) as connection:
            rows = {
                table: sorted(connection.execute(f'SELECT {columns} FROM "{table}"').fetchall(), key=repr)
                for table, columns in STATE.items()
            }
        connection.close()
        return rows

    @contextmanager
    def unchanged(self) -> Generator[None]:
        """What happens within changes nothing that matters."""
        before = self.state()
        yield
        assert self.state() == before

    def one(self, query: str, *values: str) -> Any:
        connection = sqlite3.connect(self.file)
        try:
            row = connection.execute(query, values).fetchone()
        finally:
            connection.close()
        return row[0] if row is not None else None

    def forgive(self) -> None:
        """Forget failed sign-ins: the brake is another test's."""
        connection = sqlite3.connect(self.file, timeout=30)
        with connection:
            connection.execute('DELETE FROM "SignInBrake"')
        connection.close()

    @property
    def signing_key(self) -> tuple[str, Ed25519PrivateKey]:
        """The server's own: what is signed with it must be refused for its content."""
        kid = self.one('SELECT kid FROM "SigningKey" WHERE retired_at IS NULL ORDER BY created_at DESC')
        key = load_pem_private_key(self.one('SELECT private_key FROM "SigningKey" WHERE kid = ?', kid).encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return kid, key

    def claims(self, name: str = "boss", **changes: Any) -> dict[str, Any]:
        """Those of somebody's good token, changed; `...` leaves one out."""
        token = self.tokens[name]["access_token"]
        claims = {**jwt.decode(token, options={"verify_signature": False}), **changes}
        return {claim: value for claim, value in claims.items() if value is not ...}

    def signed(self, claims: Mapping[str, Any], **headers: Any) -> str:
        """Signed by the server's own key, with these headers over the usual ones."""
        kid, key = self.signing_key
        return jwt.encode(dict(claims), key, "EdDSA", headers={"kid": kid, "typ": "at+jwt", **headers})


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is this refusal, and tells nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert "Traceback" not in answer.text


async def people(url: str) -> None:
    """Put the people into a database."""
    from prisma import Prisma

    async with Prisma(url) as db:
        await db.tenant.create(data={"id": "other", "name": "Another company"})
        for name, (tenant, role) in PEOPLE.items():
            hashed = hash_password(PASSWORD, user_name=name)
            await add_user(db, name, roles=[role], password_hash=hashed, email=None, tenant_id=tenant)
        await add_user(db, "nopass", roles=["admin"], password_hash=None, email=None, tenant_id="default")


def furnish(arena: Arena) -> None:
    """Sign everybody in, and let otto have one of everything."""
    http = arena.http
    for name in PEOPLE:
        form = {"grant_type": "password", "username": name, "password": PASSWORD}
        arena.tokens[name] = http.post("/v1/auth/token", data=form).raise_for_status().json()
    for label, (name, scopes) in {
        "reader": ("boss", ["read"]),
        "runner": ("boss", ["runs"]),
        "approver": ("boss", ["approve"]),
        "everything": ("boss", ["read", "runs", "approve", "admin"]),
        "gone": ("gone", ["read", "runs", "approve", "admin"]),
        "revoked": ("boss", ["read"]),
        "expired": ("boss", ["read"]),
        "otto": ("otto", ["read"]),
    }.items():
        body = {"name": label, "scopes": scopes}
        arena.keys[label] = http.post("/v1/auth/keys", json=body, headers=arena.as_(name)).raise_for_status().json()
    http.delete(f"/v1/auth/keys/{arena.keys['revoked']['id']}", headers=arena.as_("boss")).raise_for_status()
    otto = arena.as_("otto")
    thread = http.post("/v1/threads", json={"title": "otto's"}, headers=otto).raise_for_status().json()["id"]
    run = http.post(f"/v1/threads/{thread}/runs", json={"input": "hello"}, headers=otto).raise_for_status().json()
    files = {"file": ("secret.txt", b"Purchase order 4711")}
    document = http.post("/v1/documents", files=files, headers=otto).raise_for_status().json()
    session = http.get("/v1/auth/sessions", headers=otto).raise_for_status().json()["data"][0]
    arena.ids |= {"thread": thread, "run": run["id"], "document": document["id"], "session": session["id"]}
    arena.ids |= {"key": arena.keys["otto"]["id"], "approval": "app_otto", "effect": "eff_otto"}
    asyncio.run(_behind_the_scenes(f"file:{arena.file}", arena))


async def _behind_the_scenes(url: str, arena: Arena) -> None:
    from prisma import Prisma

    now = datetime.now(UTC)
    async with Prisma(url) as db:
        await disable_user(db, "gone")
        await db.apikey.update(where={"id": arena.keys["expired"]["id"]}, data={"expires_at": now - timedelta(days=1)})
        await db.approval.create(
            data={
                "id": "app_otto",
                "tenant_id": "other",
                "run_id": arena.ids["run"],
                "call_id": "call_1",
                "tool": "take_payment",
                "effect": "money",
                "arguments": {},
                "origins": {},
                "digest": "d" * 64,
                "expires_at": now + timedelta(hours=1),
            }
        )
        await db.effect.create(
            data={
                "id": "eff_otto",
                "run_id": arena.ids["run"],
                "call_id": "call_1",
                "tool": "take_payment",
                "effect": "money",
                "arguments": json.loads("{}"),
                "arguments_digest": "d" * 64,
                "idempotency_key": "otto",
                "status": "needs_reconcile",
            }
        )
