"""Prisma's Rust code, compiled to WebAssembly, inside this process."""
