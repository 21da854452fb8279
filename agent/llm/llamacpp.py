"""llama.cpp inside this process, by xllamacpp: load a model file, ask it, give the memory back.

Everything here blocks. xllamacpp has no type stubs, so this module alone touches it and says what it needs of it.

Three things about xllamacpp 2026.10 that its documentation does not tell (read in its source and measured):

* Loading holds the GIL: 1 to 2 s with the file in the page cache. So the file is read through once before.
* A server always listens. Here on a Unix socket in a folder that only this user can enter, behind a random key;
  elsewhere on a loopback port behind that key.
* A request stops only when its callback says so, which happens once a prompt batch and once a token.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

CROWDED = 2.0  # processes for each core
BATCH_TOKENS = 256  # prompt tokens between two looks at cancellation and at the other slots
PROMPT_CACHE_MIB = 512  # conversations that left their slot; 28 KiB a token with the 1.5B model
READ_BLOCK = 8 * 2**20  # bytes
PLACES = 256  # of a file that are looked at for being in the page cache
SLOT_SECONDS = 30.0  # for 28 KiB a token to or from the disk
X86 = ("x86_64", "amd64")
QUIET = -1  # nothing on stderr, not even errors: they come back as answers or exceptions

OnChunk = Callable[[bytes], bool]  # one chunk of OpenAI's form, as JSON; True stops the generation


class _Server(Protocol):
    @property
    def listening_address(self) -> str: ...
    def handle_chat_completions(self, prompt: bytes, callback: OnChunk) -> None: ...


class Engine:
    """A loaded model. `chat` may be called from as many threads as there are slots."""

    def __init__(self, server: _Server, folder: Path, door: Path | None, key: str) -> None:
        self._server: _Server | None = server
        self._folder = folder
        self._door = door
        self._key = key

    @classmethod
    def load(
        cls, path: Path, *, context_tokens: int, slots: int, threads: int | None, prefixes: Path | None = None
    ) -> Engine:
        """Load a GGUF file. `context_tokens` is for each slot; `prefixes` is where `save` puts what a slot has read.

        Raises:
            RuntimeError: llama.cpp cannot read the file, or there is no memory for it.
        """
        import xllamacpp  # pyright: ignore[reportMissingTypeStubs] - it has none

        folder = Path(tempfile.mkdtemp(prefix="deskclerk-"))
        params = cast("Any", xllamacpp).CommonParams()
        params.model.path = str(path)
        params.n_ctx = context_tokens * slots
        params.n_parallel = slots
        params.n_batch = BATCH_TOKENS
        params.n_ubatch = BATCH_TOKENS
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.fit_params = False  # the context is ours to choose, not to be shrunk to the free memory
        params.warmup = False  # the first prompt does it
        params.no_extra_bufts = not gains_from_repacking(platform.machine(), _cpu_flags())
        params.verbosity = QUIET
        params.endpoint_slots = False
        params.ui = False
        params.n_threads_http = 1
        key = secrets.token_hex(32)
        params.api_keys = [key]
        door = _door(folder)
        if door is not None:
            params.hostnames = [str(door)]
        if prefixes is not None:
            prefixes.mkdir(parents=True, exist_ok=True)
            params.slot_save_path = f"{prefixes}/"
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.poll = 0  # spinning between two layers starves whoever shares the cores
            if threads := threads or spare_threads(_load(), os.cpu_count() or 1):
                cpu.n_threads = threads
        try:
            server = cast("_Server", cast("Any", xllamacpp).Server(params))
            return cls(server, folder, door, key)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def chat(self, request: bytes, on_chunk: OnChunk) -> None:
        """Ask, in OpenAI's form with `stream` set. Returns when the answer is whole or `on_chunk` said stop.

        Raises:
            ValueError, RuntimeError: llama.cpp refuses the request, such as a schema that it cannot compile.
        """
        assert self._server is not None, "the model was unloaded"
        self._server.handle_chat_completions(request, on_chunk)

    def save(self, slot: int, name: str) -> bool:
        """Keep what a slot has read as a file in `prefixes`. False where it cannot."""
        return self._move("save", slot, name)

    def restore(self, slot: int, name: str) -> bool:
        """Have a slot know what was saved. False when there is no such file, or llama.cpp does not take it."""
        return self._move("restore", slot, name)

    def _move(self, action: str, slot: int, name: str) -> bool:
        assert self._server is not None, "the model was unloaded"
        connection = _Connection(self._server.listening_address, self._door)
        try:
            connection.request(
                "POST",
                f"/slots/{slot}?action={action}",
                json.dumps({"filename": name}),
                {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            )
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def close(self) -> None:
        """Unload. No `chat` may be under way."""
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)


def spare_threads(load: float, cores: int) -> int | None:
    """How many threads to use on a machine where `load` processes want to run; None for llama.cpp's own choice.

    Its threads wait for each other by spinning, several hundred times a token. Measured on 2 cores at load 11: 0.69
    tokens a second with one thread, 0.06 with two.
    """
    return max(1, cores // 2) if load > CROWDED * cores else None


def gains_from_repacking(machine: str, flags: frozenset[str]) -> bool:
    """Whether to let llama.cpp lay the weights out anew for the CPU, which copies all of them at each start.

    Measured on x86 with AVX2 and nothing newer, in one run: it takes 0.65 of 1.7 s of loading and a gigabyte of memory,
    prompts are read 6 % slower and answers written 8 % faster; a request has ten times as much prompt as answer. The
    layouts are made for ARM, AVX-512 and AMX.
    """
    return machine.lower() not in X86 or any(flag.startswith(("avx512", "amx")) for flag in flags)


def _cpu_flags() -> frozenset[str]:
    """What the CPU can do, in Linux's words; empty elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                return frozenset(line.split())
    return frozenset()


def _load() -> float:
    """Processes that wanted to run in the last minute; 0 where the system does not tell."""
    return 0.0 if sys.platform == "win32" else os.getloadavg()[0]


def _door(folder: Path) -> Path | None:
    """The socket to listen at; None where there are no Unix sockets."""
    return None if sys.platform == "win32" else folder / "llama.sock"


class _Connection(http.client.HTTPConnection):
    """To the server, by its socket where it has one; its own client, because httpx takes 0.3 s to import."""

    def __init__(self, address: str, door: Path | None) -> None:
        super().__init__("llama" if door else urlsplit(address).netloc, timeout=SLOT_SECONDS)
        self._door = door

    def connect(self) -> None:
        if self._door is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SLOT_SECONDS)
        self.sock.connect(str(self._door))


def read_through(path: Path, on_bytes: Callable[[int], None]) -> None:
    """Bring a file into the page cache, so that loading it holds the GIL for as short as can be."""
    if is_cached(path):
        return
    buffer = bytearray(READ_BLOCK)
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(buffer):
            on_bytes(read)


def is_cached(path: Path) -> bool:
    """Whether the file seems to be in the page cache, by some places in it. False where the system cannot tell."""
    if not hasattr(os, "RWF_NOWAIT"):
        return False
    size, buffer = path.stat().st_size, bytearray(1)
    with path.open("rb", buffering=0) as file:
        try:
            places = range(0, size, max(1, size // PLACES))
            return all(os.preadv(file.fileno(), [buffer], place, os.RWF_NOWAIT) == 1 for place in places)
        except OSError:  # EAGAIN: it would have to wait for the disk; EOPNOTSUPP: this file system cannot tell
            return False
