"""The committed client is what the generator makes of the committed schema today."""

from __future__ import annotations

from pathlib import Path

from prisma.generator import generate

PRISMA = Path(__file__).parents[3] / "prisma"


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.py")) if path.is_file()
    }


def test_the_committed_client_is_what_the_generator_writes(tmp_path: Path):
    """Otherwise: `deskclerk db generate`."""
    copy = tmp_path / "prisma"
    copy.mkdir()
    (copy / "schema.prisma").write_text((PRISMA / "schema.prisma").read_text())
    assert generate(copy / "schema.prisma") == copy / "client"
    assert files(copy / "client") == files(PRISMA / "client")
