"""A small database with every kind of field and relation, for tests of the engine: schema, tables, engines."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prisma.engine import Engine, EngineOptions, JsonQuery

COMMON = """
generator client {
  provider        = "deskclerk-prisma-python"
  previewFeatures = ["relationJoins"]
}

datasource db {
  provider = "sqlite"
}

enum Color {
  red
  green
  blue  @map("BLUE")
}

model User {
  id         Int       @id @default(autoincrement())
  email      String    @unique
  name       String?
  age        Int?
  balance    BigInt    @default(0)
  score      Float?
  amount     Decimal?
  active     Boolean   @default(true)
  born       DateTime?
  avatar     Bytes?
  meta       Json?
  color      Color     @default(red)
  created_at DateTime  @default(now())
  updated_at DateTime  @updatedAt
  mentor_id  Int?

  mentor      User?        @relation("mentoring", fields: [mentor_id], references: [id])
  pupils      User[]       @relation("mentoring")
  profile     Profile?
  posts       Post[]
  memberships Membership[]
}

model Profile {
  id      String @id @default(uuid(7))
  bio     String
  user_id Int    @unique
  user    User   @relation(fields: [user_id], references: [id])
}

model Post {
  id        String    @id @default(cuid(2))
  title     String
  body      String?
  views     Int       @default(0)
  author_id Int?
  author    User?     @relation(fields: [author_id], references: [id])
  tags      Tag[]
  comments  Comment[]
}

model Tag {
  id    Int    @id @default(autoincrement())
  name  String @unique
  posts Post[]
}

model Comment {
  id      String @id @default(nanoid())
  text    String
  post_id String
  post    Post   @relation(fields: [post_id], references: [id], onDelete: Cascade)
}

model Team {
  id          String       @id @default(ulid())
  name        String
  memberships Membership[]
}

model Membership {
  user_id Int
  team_id String
  role    String @default("member")
  user    User   @relation(fields: [user_id], references: [id])
  team    Team   @relation(fields: [team_id], references: [id])

  @@id([user_id, team_id])
}

model Slot {
  id    Int    @id @default(autoincrement())
  room  String
  hour  Int
  taken Int    @default(0)

  @@unique([room, hour], name: "place")
}

model Token {
  id    String @id @default(cuid(1))
  four  String @default(uuid(4))
  short String @default(nanoid(8))
}
"""
ONLY_POSTGRESQL = """
model Lists {
  id       Int        @id @default(autoincrement())
  numbers  Int[]
  names    String[]
  colors   Color[]
  moments  DateTime[]
  amounts  Decimal[]
  blobs    Bytes[]
  docs     Json[]
  bigs     BigInt[]
  flags    Boolean[]
  floats   Float[]
}

model Native {
  id     String    @id @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  day    DateTime? @db.Date
  clock  DateTime? @db.Time(3)
  zoned  DateTime? @db.Timestamptz(6)
  short  String?   @db.VarChar(5)
  small  Int?      @db.SmallInt
  exact  Decimal?  @db.Decimal(20, 4)
  host   String?   @db.Inet
  single Float?    @db.Real
}
"""
SQLITE_TABLES = """
CREATE TABLE "User" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "email" TEXT NOT NULL, "name" TEXT, "age" INTEGER,
  "balance" BIGINT NOT NULL DEFAULT 0, "score" REAL, "amount" DECIMAL, "active" BOOLEAN NOT NULL DEFAULT true,
  "born" DATETIME, "avatar" BLOB, "meta" JSONB, "color" TEXT NOT NULL DEFAULT 'red',
  "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "updated_at" DATETIME NOT NULL,
  "mentor_id" INTEGER REFERENCES "User" ("id") ON DELETE SET NULL);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
CREATE TABLE "Profile" ("id" TEXT PRIMARY KEY NOT NULL, "bio" TEXT NOT NULL,
  "user_id" INTEGER NOT NULL REFERENCES "User" ("id") ON DELETE RESTRICT);
CREATE UNIQUE INDEX "Profile_user_id_key" ON "Profile" ("user_id");
CREATE TABLE "Post" ("id" TEXT PRIMARY KEY NOT NULL, "title" TEXT NOT NULL, "body" TEXT,
  "views" INTEGER NOT NULL DEFAULT 0, "author_id" INTEGER REFERENCES "User" ("id") ON DELETE SET NULL);
CREATE TABLE "Tag" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL);
CREATE UNIQUE INDEX "Tag_name_key" ON "Tag" ("name");
CREATE TABLE "_PostToTag" ("A" TEXT NOT NULL REFERENCES "Post" ("id") ON DELETE CASCADE,
  "B" INTEGER NOT NULL REFERENCES "Tag" ("id") ON DELETE CASCADE);
CREATE UNIQUE INDEX "_PostToTag_AB_unique" ON "_PostToTag" ("A", "B");
CREATE TABLE "Comment" ("id" TEXT PRIMARY KEY NOT NULL, "text" TEXT NOT NULL,
  "post_id" TEXT NOT NULL REFERENCES "Post" ("id") ON DELETE CASCADE);
CREATE TABLE "Team" ("id" TEXT PRIMARY KEY NOT NULL, "name" TEXT NOT NULL);
CREATE TABLE "Membership" ("user_id" INTEGER NOT NULL REFERENCES "User" ("id") ON DELETE RESTRICT,
  "team_id" TEXT NOT NULL REFERENCES "Team" ("id") ON DELETE RESTRICT, "role" TEXT NOT NULL DEFAULT 'member',
  PRIMARY KEY ("user_id", "team_id"));
CREATE TABLE "Slot" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "room" TEXT NOT NULL, "hour" INTEGER NOT NULL,
  "taken" INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX "Slot_room_hour_key" ON "Slot" ("room", "hour");
CREATE TABLE "Token" ("id" TEXT PRIMARY KEY NOT NULL, "four" TEXT NOT NULL, "short" TEXT NOT NULL);
"""
POSTGRESQL_TABLES = """
CREATE TYPE "Color" AS ENUM ('red', 'green', 'BLUE');
CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL, "name" TEXT, "age" INTEGER,
  "balance" BIGINT NOT NULL DEFAULT 0, "score" DOUBLE PRECISION, "amount" DECIMAL(65,30),
  "active" BOOLEAN NOT NULL DEFAULT true, "born" TIMESTAMP(3), "avatar" BYTEA, "meta" JSONB,
  "color" "Color" NOT NULL DEFAULT 'red', "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMP(3) NOT NULL, "mentor_id" INTEGER REFERENCES "User" ("id") ON DELETE SET NULL);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
CREATE TABLE "Profile" ("id" TEXT PRIMARY KEY, "bio" TEXT NOT NULL,
  "user_id" INTEGER NOT NULL REFERENCES "User" ("id") ON DELETE RESTRICT);
CREATE UNIQUE INDEX "Profile_user_id_key" ON "Profile" ("user_id");
CREATE TABLE "Post" ("id" TEXT PRIMARY KEY, "title" TEXT NOT NULL, "body" TEXT, "views" INTEGER NOT NULL DEFAULT 0,
  "author_id" INTEGER REFERENCES "User" ("id") ON DELETE SET NULL);
CREATE TABLE "Tag" ("id" SERIAL PRIMARY KEY, "name" TEXT NOT NULL);
CREATE UNIQUE INDEX "Tag_name_key" ON "Tag" ("name");
CREATE TABLE "_PostToTag" ("A" TEXT NOT NULL REFERENCES "Post" ("id") ON DELETE CASCADE,
  "B" INTEGER NOT NULL REFERENCES "Tag" ("id") ON DELETE CASCADE, PRIMARY KEY ("A", "B"));
CREATE TABLE "Comment" ("id" TEXT PRIMARY KEY, "text" TEXT NOT NULL,
  "post_id" TEXT NOT NULL REFERENCES "Post" ("id") ON DELETE CASCADE);
CREATE TABLE "Team" ("id" TEXT PRIMARY KEY, "name" TEXT NOT NULL);
CREATE TABLE "Membership" ("user_id" INTEGER NOT NULL REFERENCES "User" ("id") ON DELETE RESTRICT,
  "team_id" TEXT NOT NULL REFERENCES "Team" ("id") ON DELETE RESTRICT, "role" TEXT NOT NULL DEFAULT 'member',
  PRIMARY KEY ("user_id", "team_id"));
CREATE TABLE "Slot" ("id" SERIAL PRIMARY KEY, "room" TEXT NOT NULL, "hour" INTEGER NOT NULL,
  "taken" INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX "Slot_room_hour_key" ON "Slot" ("room", "hour");
CREATE TABLE "Token" ("id" TEXT PRIMARY KEY, "four" TEXT NOT NULL, "short" TEXT NOT NULL);
CREATE TABLE "Lists" ("id" SERIAL PRIMARY KEY, "numbers" INTEGER[], "names" TEXT[], "colors" "Color"[],
  "moments" TIMESTAMP(3)[], "amounts" DECIMAL(65,30)[], "blobs" BYTEA[], "docs" JSONB[], "bigs" BIGINT[],
  "flags" BOOLEAN[], "floats" DOUBLE PRECISION[]);
CREATE TABLE "Native" ("id" UUID PRIMARY KEY DEFAULT gen_random_uuid(), "day" DATE, "clock" TIME(3),
  "zoned" TIMESTAMPTZ(6), "short" VARCHAR(5), "small" SMALLINT, "exact" DECIMAL(20,4), "host" INET, "single" REAL);
"""
SCALARS: dict[str, Any] = {"$scalars": True, "$composites": True}


class Library:
    """An engine on the database, with short ways to ask it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def ask(
        self, model: str, action: str, *, select: dict[str, Any] | None = None, tx: Any = None, **arguments: Any
    ) -> Any:
        """Run an operation; `select` adds to the scalar fields."""
        return await self.engine.execute(query(model, action, select=select, **arguments), tx=tx)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        return await self.engine.query_raw(f'SELECT * FROM "{table}" ORDER BY 1')

    async def count(self, table: str) -> int:
        return len(await self.rows(table))


def query(model: str, action: str, *, select: dict[str, Any] | None = None, **arguments: Any) -> JsonQuery:
    """An operation in the JSON protocol; `select` adds to the scalar fields, or is all where the action has none."""
    selection = (select or {}) if action in {"aggregate", "groupBy"} else {**SCALARS, **(select or {})}
    return {"modelName": model, "action": action, "query": {"arguments": arguments, "selection": selection}}


def nested(**arguments: Any) -> dict[str, Any]:
    """A relation with its scalars, for `select`; `inside` selects below it."""
    inside: dict[str, Any] = arguments.pop("inside", None) or {}
    return {"arguments": arguments, "selection": {**SCALARS, **inside}}


@asynccontextmanager
async def sqlite_library(folder: Path, **options: Any) -> AsyncGenerator[Library, None]:
    """The library on a new SQLite file."""
    async with _library(COMMON, f"file:{folder / 'library.db'}", SQLITE_TABLES, options) as library:
        yield library


@asynccontextmanager
async def postgres_library(url: str, **options: Any) -> AsyncGenerator[Library, None]:
    """The library on an empty PostgreSQL database."""
    async with _library(COMMON + ONLY_POSTGRESQL, url, POSTGRESQL_TABLES, options) as library:
        yield library


@asynccontextmanager
async def _library(schema: str, url: str, tables: str, options: dict[str, Any]) -> AsyncGenerator[Library, None]:
    engine = Engine.create(schema=schema, url=url, options=EngineOptions(**options))
    await engine.connect()
    try:
        for statement in tables.split(";\n"):
            if statement.strip():
                await engine.execute_raw(statement)
        yield Library(engine)
    finally:
        await engine.disconnect()
