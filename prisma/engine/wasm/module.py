"""Compiled WebAssembly modules, kept in the cache so that a process starts in milliseconds.

wasmtime compiles one of Prisma's modules in seconds and loads its own compiled form in milliseconds. That form is bound
to the version of wasmtime and to the features of the CPU, so both are in its name. It is native code: a file whose
digest does not match is not loaded but compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path

import wasmtime

from prisma.assets import ASSETS, AssetName, Progress, cache_folder, locate, silent
from prisma.cache import keep

_LOCK = threading.Lock()
_MODULES: dict[AssetName, wasmtime.Module] = {}


@cache
def wasm_engine() -> wasmtime.Engine:
    """The one wasmtime engine of the process; safe to share between threads."""
    return wasmtime.Engine()


def load_module(name: AssetName, *, progress: Progress = silent) -> wasmtime.Module:
    """The compiled module; shared by every engine of the process. Blocks: call it off the event loop."""
    with _LOCK:
        module = _MODULES.get(name)
        if module is None:
            module = _MODULES[name] = _load(name, progress)
        return module


def compiled_path(name: AssetName) -> Path:
    """Where the compiled form of a module is kept for this wasmtime and this CPU."""
    asset = ASSETS[name]
    return cache_folder() / f"{Path(asset.file_name).stem}-wasmtime{version('wasmtime')}-{_cpu()}.cwasm"


def _load(name: AssetName, progress: Progress) -> wasmtime.Module:
    path = compiled_path(name)
    with contextlib.suppress(OSError, wasmtime.WasmtimeError):
        digest = path.with_suffix(".sha256").read_text()
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            # Maps the file, which is never changed in place: it is only replaced by another one.
            return wasmtime.Module.deserialize_file(wasm_engine(), str(path))
    source = locate(name, checked=True, progress=progress).read_bytes()
    progress("Compiling Prisma's query compiler for this CPU", 0.0)
    module = wasmtime.Module(wasm_engine(), source)
    data = bytes(module.serialize())
    keep(path, data)
    keep(path.with_suffix(".sha256"), hashlib.sha256(data).hexdigest().encode())
    progress("Compiling Prisma's query compiler for this CPU", 1.0)
    return module


@cache
def _cpu() -> str:
    """Short name of this kind of CPU: a home folder may be shared by machines that differ."""
    features = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        features = next((line for line in lines if line.startswith(("flags", "Features"))), features)
    return f"{platform.system()}-{platform.machine()}-{hashlib.sha256(features.encode()).hexdigest()[:8]}".lower()
