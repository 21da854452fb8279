"""Carries out the query plans of Prisma's compiler: each plan is turned into Python closures once, then run often."""
