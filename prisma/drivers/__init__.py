"""The databases: SQLite by aiosqlite, PostgreSQL by asyncpg, behind one protocol (`prisma.drivers.base`)."""
