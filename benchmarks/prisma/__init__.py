"""Our Prisma client against SQLAlchemy 2 Core. See README.md."""
