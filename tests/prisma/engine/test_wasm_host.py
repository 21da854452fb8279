"""The JavaScript around the WebAssembly modules, and the cache of their compiled form."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from prisma.assets import ASSETS, cache_folder
from prisma.engine.compiler import QueryCompiler
from prisma.engine.datasource import with_provider
from prisma.engine.schema_tools import SchemaTools
from prisma.engine.wasm import host, module
from prisma.engine.wasm.host import UNDEFINED, WasmInstance
from prisma.engine.wasm.module import compiled_path, load_module, wasm_engine
from prisma.errors import AssetIntegrityError, EngineError, EnginePanicError, InputError, SchemaError
from tests.support.library_database import COMMON


def test_an_unknown_import_is_refused_by_name():
    text = '(module (import "./x.js" "__wbg_launch_0123" (func)) (memory (export "memory") 1))'
    with pytest.raises(EngineError, match="'__wbg_launch_0123'"):
        WasmInstance(wasmtime.Module(wasm_engine(), text))


def test_javascript_values_behave_as_in_javascript():
    assert host.as_number(3.0) == 3
    assert isinstance(host.as_number(3.0), int)
    assert host.as_number(0.5) == 0.5
    assert host.as_number(2.0**60) == 2.0**60
    assert isinstance(host.as_number(2.0**60), float)
    assert math.isnan(host.to_number("x"))
    assert host.to_number(None) == 0.0
    assert host.to_string(True) == "true"
    assert host.to_string(None) == "null"
    assert host.loosely_equal(None, UNDEFINED)
    assert not host.loosely_equal(None, 0)
    assert host.get_item([1], 5) is UNDEFINED
    assert host.get_key({"a": None}, "a") is None
    assert host.get_key({}, "a") is UNDEFINED
    assert not host.is_number(True)
    sparse: list[Any] = []
    host.set_index(sparse, 1, "b")
    assert sparse == [UNDEFINED, "b"]


def test_a_panic_names_its_reason_and_the_compiler_goes_on():
    compiler = QueryCompiler(COMMON, "postgresql")
    placeholder = '{"$type":"Param","value":{"name":"%1","type":"Json"}}'
    bad = (
        '{"modelName":"User","action":"findMany","query":{"arguments":{"where":{"meta":'
        f'{{"path":["a"],"gt":{placeholder}}}}}}},"selection":{{"id":true}}}}}}'
    )
    with pytest.raises(EnginePanicError, match="unreachable"):
        compiler.compile(bad)
    good = '{"modelName":"User","action":"findMany","query":{"arguments":{},"selection":{"id":true}}}'
    assert compiler.compile(good)["type"] == "dataMap"


def test_a_wrong_schema_is_refused_with_line_and_reason():
    with pytest.raises(SchemaError, match=r'"@idd"(.|\n)*5'):
        SchemaTools().validate('datasource db {\n provider="sqlite"\n}\nmodel A {\n id Int @idd\n}')
    with pytest.raises(SchemaError, match="found 0"):
        with_provider("model A {\n id Int @id\n}", "sqlite")


def test_the_provider_of_a_schema_can_be_replaced():
    assert 'provider = "postgresql"' in with_provider(COMMON, "postgresql")
    assert 'provider        = "deskclerk-prisma-python"' in with_provider(COMMON, "postgresql")


def test_the_schema_tools_read_format_and_lint():
    tools = SchemaTools()
    assert [model["name"] for model in tools.dmmf(COMMON)["datamodel"]["models"]][:2] == ["User", "Profile"]
    assert tools.format("model A {\nid Int   @id\n}") == "model A {\n  id Int @id\n}\n"
    assert tools.lint(COMMON) == []
    assert tools.config(COMMON)["generators"][0]["name"] == "client"


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has loaded no module yet."""
    monkeypatch.setattr(module, "_MODULES", {})


@pytest.mark.usefixtures("cold")
def test_a_cached_module_loads_in_milliseconds():
    load_module("sqlite")
    module._MODULES.clear()  # pyright: ignore[reportPrivateUsage]
    times: list[float] = []
    for _ in range(5):
        module._MODULES.clear()  # pyright: ignore[reportPrivateUsage]
        start = time.perf_counter()
        load_module("sqlite")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05


@pytest.mark.usefixtures("cold")
def test_a_tampered_or_foreign_cache_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tiny = b"\x00asm\x01\x00\x00\x00"  # a module with nothing in it
    import hashlib
    from dataclasses import replace

    asset = replace(ASSETS["sqlite"], sha256=hashlib.sha256(tiny).hexdigest())
    monkeypatch.setitem(ASSETS, "sqlite", asset)
    monkeypatch.setenv("DESKCLERK_CACHE", str(tmp_path))
    cache_folder().mkdir(parents=True)
    (cache_folder() / asset.file_name).write_bytes(tiny)
    load_module("sqlite")
    compiled = compiled_path("sqlite")
    whole = compiled.read_bytes()
    for damaged, digest in [
        (whole[:-1], compiled.with_suffix(".sha256").read_text()),
        (b"not compiled", hashlib.sha256(b"not compiled").hexdigest()),
    ]:
        compiled.write_bytes(damaged)
        compiled.with_suffix(".sha256").write_text(digest)
        module._MODULES.clear()  # pyright: ignore[reportPrivateUsage]
        load_module("sqlite")
        assert compiled.read_bytes() == whole
    assert not list(cache_folder().glob(".*cwasm*"))


@pytest.mark.usefixtures("cold")
def test_a_source_that_is_not_the_pinned_one_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKCLERK_CACHE", str(tmp_path))
    cache_folder().mkdir(parents=True)
    (cache_folder() / ASSETS["sqlite"].file_name).write_bytes(b"\x00asm\x01\x00\x00\x00")
    with pytest.raises(AssetIntegrityError, match="not the pinned"):
        load_module("sqlite")


def test_compile_errors_of_unions_choose_the_branch_that_says_most():
    compiler = QueryCompiler(COMMON, "sqlite")
    where = '{"posts":{"some":{"titel":"x"}}}'
    request = (
        '{"modelName":"User","action":"findMany","query":{"arguments":{"where":' + where + '},"selection":{"id":true}}}'
    )
    with pytest.raises(InputError, match=r"where\.posts\.some\.titel.*did you mean 'title'"):
        compiler.compile(request)
