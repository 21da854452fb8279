"""What the engine knows of a schema, read from the DMMF: which arguments may become parameters, and what tables hold.

A plan is compiled for a shape: the operation with its values replaced by placeholders. Only values whose position the
DMMF calls `isParameterizable` may be replaced; others (`take`, `orderBy`, ...) change the plan. The graph is computed
once a schema and kept in the cache, because reading the DMMF takes a second and loading the graph a millisecond.

Same meaning as npm's @prisma/param-graph-builder 7.10.0.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from prisma.assets import Progress, cache_folder, silent
from prisma.cache import keep

FORMAT = 4  # of the kept file

SCALAR, ENUM, LIST_SCALAR, LIST_ENUM, LIST_OBJECT, OBJECT = 1, 2, 4, 8, 16, 32
JSON_ORDER = 64  # a Json value here may vary only when it is an object or a list
STRING, INT, BIGINT, FLOAT, DECIMAL, BOOLEAN, DATETIME, JSON, BYTES = 1, 2, 4, 8, 16, 32, 64, 128, 256
JSON_FILTER_TYPE = re.compile(r"\bJson\w*Filter$")
JSON_COMPARISONS = ("lt", "lte", "gt", "gte")
MASK_OF_SCALAR = {
    "String": STRING,
    "UUID": STRING,
    "Int": INT,
    "BigInt": BIGINT,
    "Float": FLOAT,
    "Decimal": DECIMAL,
    "Boolean": BOOLEAN,
    "DateTime": DATETIME,
    "Json": JSON,
    "Bytes": BYTES,
}

# flags, mask of scalar types, name of the enum or None, number of the child node or None
Edge: TypeAlias = tuple[int, int, str | None, int | None]
# number of the arguments' node or None, number of the output node or None
OutputEdge: TypeAlias = tuple[int | None, int | None]
# model, and its fields by the names of their columns
Table: TypeAlias = tuple[str, dict[str, str]]


@dataclass(slots=True)
class ParamGraph:
    """Nodes are numbered; an edge is found by the name of an argument or of a selected field."""

    inputs: list[dict[str, Edge]] = field(default_factory=list[dict[str, Edge]])
    outputs: list[dict[str, OutputEdge]] = field(default_factory=list[dict[str, OutputEdge]])
    roots: dict[str, OutputEdge] = field(default_factory=dict[str, OutputEdge])  # by "Model.action"
    enums: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])  # name -> name in the database
    tables: dict[str, Table] = field(default_factory=dict[str, "Table"])  # by its name in the database

    def to_json(self) -> bytes:
        return orjson.dumps([FORMAT, self.inputs, self.outputs, self.roots, self.enums, self.tables])

    @classmethod
    def from_json(cls, data: bytes) -> ParamGraph:
        version, *parts = orjson.loads(data)
        if version != FORMAT:
            raise ValueError(f"The graph is of format {version}, not {FORMAT}.")
        return cls(*parts)


def load_param_graph(schema: str, *, progress: Progress = silent) -> ParamGraph:
    """The graph of a schema, from the cache where it is there. Blocks: call it off the event loop."""
    path = cache_folder() / f"params-{hashlib.sha256(schema.encode()).hexdigest()[:24]}.json"
    with contextlib.suppress(OSError, ValueError):
        return ParamGraph.from_json(path.read_bytes())
    from prisma.engine.schema_tools import SchemaTools  # slow to import, and rarely needed

    graph = build_param_graph(SchemaTools(progress=progress).dmmf(schema))
    keep(path, graph.to_json())
    return graph


def build_param_graph(dmmf: dict[str, Any]) -> ParamGraph:
    """The graph of a schema, from Prisma's DMMF of it."""
    return _Builder(dmmf).build()


class _Builder:
    def __init__(self, dmmf: dict[str, Any]) -> None:
        schema = dmmf["schema"]
        self._dmmf = dmmf
        self._graph = ParamGraph()
        self._input_types = _by_name(schema["inputObjectTypes"])
        self._output_types = _by_name(schema["outputObjectTypes"])
        self._input_numbers: dict[tuple[str, ...], int | None] = {}
        self._output_numbers: dict[str, int | None] = {}
        self._pending: list[tuple[int, tuple[str, ...]]] = []

    def build(self) -> ParamGraph:
        for enum in self._dmmf["datamodel"]["enums"]:
            self._graph.enums[enum["name"]] = {
                value["name"]: value.get("dbName") or value["name"] for value in enum["values"]
            }
        for model in self._dmmf["datamodel"]["models"]:
            columns = {each.get("dbName") or each["name"]: each["name"] for each in model["fields"]}
            self._graph.tables[model.get("dbName") or model["name"]] = (model["name"], columns)
        fields = {
            found["name"]: found
            for name in ("prisma.Query", "prisma.Mutation")
            for found in self._output_types[name]["fields"]
        }
        for mapping in self._dmmf["mappings"]["modelOperations"]:
            for action, name in mapping.items():
                if action != "model" and name in fields:
                    self._graph.roots[f"{mapping['model']}.{action}"] = self._output_edge(fields[name])
        while self._pending:
            number, type_names = self._pending.pop()
            variants: dict[str, list[dict[str, Any]]] = {}
            for type_name in type_names:
                for variant in self._input_types[type_name]["fields"]:
                    variants.setdefault(variant["name"], []).append(variant)
            edges = self._edges(variants)
            if any(JSON_FILTER_TYPE.search(type_name) for type_name in type_names):
                # The compiler panics on a placeholder in `gt: 5`; Prisma's client gives it none either.
                for name in JSON_COMPARISONS:
                    if name in edges:
                        flags, mask, enum, child = edges[name]
                        edges[name] = (flags | JSON_ORDER, mask, enum, child)
            self._graph.inputs[number] = edges
        return self._graph

    def _edges(self, variants: dict[str, list[dict[str, Any]]]) -> dict[str, Edge]:
        edges = {name: self._edge(same_name) for name, same_name in variants.items()}
        return {name: edge for name, edge in edges.items() if edge[0]}

    def _edge(self, variants: list[dict[str, Any]]) -> Edge:
        flags = mask = 0
        enum: str | None = None
        objects: dict[tuple[str, bool], None] = {}
        for variant in variants:
            may_vary = variant.get("isParameterizable", False)
            for kind in variant["inputTypes"]:
                match kind["location"]:
                    case "scalar" if may_vary:
                        mask |= MASK_OF_SCALAR.get(kind["type"], 0)
                        flags |= LIST_SCALAR if kind["isList"] else SCALAR
                    case "enumTypes" if may_vary and enum is None and kind.get("namespace") == "model":
                        enum = kind["type"]
                        flags |= LIST_ENUM if kind["isList"] else ENUM
                    case "inputObjectTypes":
                        objects[_type_name(kind), kind["isList"]] = None
                        flags |= LIST_OBJECT if kind["isList"] else OBJECT
                    case _:
                        pass
        child = self._input_node(tuple(sorted({name for name, _ in objects}))) if objects else None
        return flags, mask, enum, child

    def _input_node(self, type_names: tuple[str, ...]) -> int | None:
        if type_names not in self._input_numbers:
            known = tuple(name for name in type_names if name in self._input_types)
            number = None
            if known:
                number = len(self._graph.inputs)
                self._graph.inputs.append({})
                self._pending.append((number, known))
            self._input_numbers[type_names] = number
        return self._input_numbers[type_names]

    def _output_edge(self, output: dict[str, Any]) -> OutputEdge:
        arguments: int | None = None
        if edges := self._edges({argument["name"]: [argument] for argument in output["args"]}):
            arguments = len(self._graph.inputs)
            self._graph.inputs.append(edges)
        target = output["outputType"]
        child = self._output_node(_type_name(target)) if target["location"] == "outputObjectTypes" else None
        return arguments, child

    def _output_node(self, name: str) -> int | None:
        if name not in self._output_numbers:
            if name not in self._output_types:
                self._output_numbers[name] = None
                return None
            number = self._output_numbers[name] = len(self._graph.outputs)
            self._graph.outputs.append({})
            edges = {field["name"]: self._output_edge(field) for field in self._output_types[name]["fields"]}
            self._graph.outputs[number] = {key: edge for key, edge in edges.items() if edge != (None, None)}
        return self._output_numbers[name]


def _by_name(types: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {f"{namespace}.{kind['name']}": kind for namespace in types for kind in types[namespace]}


def _type_name(kind: dict[str, Any]) -> str:
    return f"{kind.get('namespace') or 'prisma'}.{kind['type']}"
