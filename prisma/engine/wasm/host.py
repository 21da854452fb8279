"""The JavaScript that wasm-bindgen's modules expect around them, in Python.

wasm-bindgen compiles Rust so that it handles JavaScript values through imported functions. The modules of the pinned
version import exactly the functions below, by names that end in a hash of their signature; a module that imports
another one is refused. JavaScript values are: object and Map -> dict, Array -> list, number -> int or float,
BigInt -> int, string -> str, null -> None, undefined -> `UNDEFINED`, Error -> `JsError`.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import wasmtime

from prisma.engine.wasm.module import wasm_engine
from prisma.errors import EngineError, EnginePanicError

MAX_SAFE_INTEGER = 2**53 - 1


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


class JsError(Exception):
    """An `Error` made by the module; its first argument is the message."""


class WasmInstance:
    """A module with a memory of its own. Not thread-safe: one thread at a time."""

    def __init__(self, module: wasmtime.Module) -> None:
        self.panic: str | None = None
        self._raised: BaseException | None = None
        self._store = wasmtime.Store(wasm_engine())
        imports = self._imports()
        functions: list[wasmtime.Func] = []
        for needed in module.imports:
            name = str(needed.name)
            if name not in imports:
                raise EngineError(f"The module imports {name!r}, which the pinned version does not have.")
            kind = needed.type
            assert isinstance(kind, wasmtime.FuncType)
            functions.append(wasmtime.Func(self._store, kind, self._guarded(imports[name])))
        instance = wasmtime.Instance(self._store, module, functions)
        self._exports = instance.exports(self._store)
        memory = self._exports["memory"]
        externrefs = self._exports["__wbindgen_externrefs"]
        assert isinstance(memory, wasmtime.Memory)
        assert isinstance(externrefs, wasmtime.Table)
        self._memory = memory
        self._externrefs = externrefs
        self.call("__wbindgen_start")

    def call(self, name: str, *arguments: Any) -> Any:
        """Call an export. What an import raised comes out unchanged.

        Raises:
            EnginePanicError: The Rust code panicked; the instance must not be used again.
        """
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            return function(self._store, *arguments)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            if self.panic is not None:
                raise EnginePanicError(self.panic) from error
            raised, self._raised = self._raised, None
            if raised is not None:
                raise raised from error
            raise EnginePanicError(str(error)) from error

    def pass_string(self, text: str) -> tuple[int, int]:
        """Pointer and length of a copy of the text in the module's memory; the module frees it."""
        data = text.encode()
        pointer = int(self.call("__wbindgen_malloc", len(data), 1)) & 0xFFFFFFFF
        self._memory.write(self._store, data, pointer)
        return pointer, len(data)

    def read_string(self, pointer: int, length: int) -> str:
        pointer &= 0xFFFFFFFF
        return bytes(self._memory.read(self._store, pointer, pointer + length)).decode()

    def free(self, pointer: int, length: int) -> None:
        self.call("__wbindgen_free", pointer, length, 1)

    def take(self, index: int) -> Any:
        """The JavaScript value at an index of the table, which is given back."""
        value = self._externrefs.get(self._store, index)
        self.call("__externref_table_dealloc", index)
        return value

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:
                self._raised = error
                raise

        return guarded

    def _write(self, address: int, layout: str, *values: Any) -> None:
        self._memory.write(self._store, struct.pack(layout, *values), address & 0xFFFFFFFF)

    def _give_string(self, address: int, text: str | None) -> None:
        pointer, length = (0, 0) if text is None else self.pass_string(text)
        self._write(address, "<II", pointer, length)

    def _imports(self) -> dict[str, Callable[..., Any]]:
        read = self.read_string

        def make_error(pointer: int, length: int) -> JsError:
            return JsError(read(pointer, length))

        def throw(pointer: int, length: int) -> None:
            raise JsError(read(pointer, length))

        def set_panic(pointer: int, length: int) -> None:
            self.panic = read(pointer, length)

        def number_get(address: int, value: Any) -> None:
            found = is_number(value)
            self._write(address, "<i4xd", int(found), float(value) if found else 0.0)

        def string_get(address: int, value: Any) -> None:
            self._give_string(address, value if isinstance(value, str) else None)

        def string_of(address: int, value: Any) -> None:
            self._give_string(address, to_string(value))

        def debug_string(address: int, value: Any) -> None:
            self._give_string(address, repr(value))

        def copy_bytes(pointer: int, length: int, value: Any) -> None:
            self._memory.write(self._store, bytes(value)[:length], pointer & 0xFFFFFFFF)

        def init_externrefs() -> None:
            table, store = self._externrefs, self._store
            offset = table.grow(store, 4, UNDEFINED)
            table.set(store, 0, UNDEFINED)
            for position, value in enumerate((UNDEFINED, None, True, False)):
                table.set(store, offset + position, value)

        return {
            **PURE_IMPORTS,
            "__wbg_Error_e83987f665cf5504": make_error,
            "__wbg_String_8f0eb39a4a4c2f66": string_of,
            "__wbg___wbindgen_debug_string_df47ffb5e35e6763": debug_string,
            "__wbg___wbindgen_number_get_a20bf9b85341449d": number_get,
            "__wbg___wbindgen_string_get_e4f06c90489ad01b": string_get,
            "__wbg___wbindgen_throw_b855445ff6a94295": throw,
            "__wbg_prototypesetcall_2a6620b6922694b2": copy_bytes,
            "__wbg_set_message_82ae475bb413aa5c": set_panic,  # of the query compiler
            "__wbg_set_message_f22ac4a6869ee695": set_panic,  # of the schema tools
            "__wbindgen_cast_2241b6af4c4b2941": read,
            "__wbindgen_init_externref_table": init_externrefs,
        }


def as_number(value: float) -> int | float:
    """A JavaScript number: whole ones become `int`, so that they print and bind as such."""
    return int(value) if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER else value


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def to_number(value: Any) -> float:
    """`Number(value)`."""
    if value is None:
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def to_string(value: Any) -> str:
    """`String(value)`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value)


def loosely_equal(left: Any, right: Any) -> int:
    """`left == right` for what serde compares: null and undefined are equal, a boolean equals its number."""
    if left is None or left is UNDEFINED:
        return int(right is None or right is UNDEFINED)
    return int(left == right)


def get_item(value: Sequence[Any], index: int) -> Any:
    return value[index] if index < len(value) else UNDEFINED


def set_key(target: dict[Any, Any], key: Any, value: Any) -> None:
    target[key] = value


def set_map(target: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    target[key] = value
    return target


def set_index(target: list[Any], index: int, value: Any) -> None:
    if index == len(target):
        target.append(value)
    else:
        target.extend([UNDEFINED] * (index + 1 - len(target)))
        target[index] = value


def boolean_get(value: Any) -> int:
    return int(value) if isinstance(value, bool) else 0xFFFFFF


def is_in(key: Any, value: Any) -> int:
    return int(key in value)


def is_object(value: Any) -> int:
    return int(isinstance(value, (dict, list, bytes, JsError)))


def is_string(value: Any) -> int:
    return int(isinstance(value, str))


def is_undefined(value: Any) -> int:
    return int(value is UNDEFINED)


def entries(value: dict[Any, Any]) -> list[list[Any]]:
    return [[key, item] for key, item in value.items()]


def get_key(value: dict[Any, Any], key: Any) -> Any:
    return value.get(key, UNDEFINED)


def is_array_buffer(_value: Any) -> int:
    return 0  # bytes are Uint8Array here


def is_bytes(value: Any) -> int:
    return int(isinstance(value, bytes))


def is_safe_integer(value: Any) -> int:
    return int(is_number(value) and float(value).is_integer() and abs(value) <= MAX_SAFE_INTEGER)


def milliseconds() -> float:
    """`new Date()`: a date is its number of milliseconds here."""
    return time.time() * 1000


def as_unsigned(value: int) -> int:
    return value & 0xFFFFFFFFFFFFFFFF


def unchanged(value: int) -> int:
    return value


PURE_IMPORTS: dict[str, Callable[..., Any]] = {
    "__wbg_Number_bb48ca12f395cd08": to_number,
    "__wbg___wbindgen_boolean_get_6d5a1ee65bab5f68": boolean_get,
    "__wbg___wbindgen_in_bb933bd9e1b3bc0f": is_in,
    "__wbg___wbindgen_is_object_c818261d21f283a4": is_object,
    "__wbg___wbindgen_is_string_fbb76cb2940daafd": is_string,
    "__wbg___wbindgen_is_undefined_2d472862bd29a478": is_undefined,
    "__wbg___wbindgen_jsval_loose_eq_b664b38a2f582147": loosely_equal,
    "__wbg_entries_e171b586f8f6bdbf": entries,
    "__wbg_getTime_14776bfb48a1bff9": float,
    "__wbg_get_7bed016f185add81": get_item,
    "__wbg_get_with_ref_key_1dc361bd10053bfe": get_key,
    "__wbg_instanceof_ArrayBuffer_70beb1189ca63b38": is_array_buffer,
    "__wbg_instanceof_Uint8Array_20c8e73002f7af98": is_bytes,
    "__wbg_isSafeInteger_d216eda7911dde36": is_safe_integer,
    "__wbg_length_69bca3cb64fc8748": len,
    "__wbg_length_cdd215e10d9dd507": len,
    "__wbg_new_0_f9740686d739025c": milliseconds,
    "__wbg_new_1acc0b6eea89d040": dict,
    "__wbg_new_5a79be3ab53b8aa5": bytes,
    "__wbg_new_68651c719dcda04e": dict,
    "__wbg_new_e17d9f43105b08be": list,
    "__wbg_set_3f1d0b984ed272ed": set_key,
    "__wbg_set_907fb406c34a251d": set_map,
    "__wbg_set_c213c871859d6500": set_index,
    "__wbindgen_cast_4625c577ab2ec9ee": as_unsigned,
    "__wbindgen_cast_9ae0607507abb057": unchanged,
    "__wbindgen_cast_d6cd19b81560fd6e": as_number,
}
