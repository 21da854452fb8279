"""Hypothesis strategies for Prisma operations, read off the DMMF: whatever the schema allows may be generated.

An operation is what a JavaScript user writes: `{"model": "User", "action": "findMany", "args": {...}}`, with values
that JSON lacks as `{"$type": ..., "value": ...}` (see tests/prisma/js/server.mjs).

Kept out, because two right answers would differ: rows in no order, the clock, random ids, which rows a `limit` hits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from hypothesis import strategies as st

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

ACTIONS = {  # of the JavaScript client, and the name in the DMMF
    "findUnique": "findUnique",
    "findUniqueOrThrow": "findUniqueOrThrow",
    "findFirst": "findFirst",
    "findFirstOrThrow": "findFirstOrThrow",
    "findMany": "findMany",
    "create": "createOne",
    "createMany": "createMany",
    "createManyAndReturn": "createManyAndReturn",
    "update": "updateOne",
    "updateMany": "updateMany",
    "updateManyAndReturn": "updateManyAndReturn",
    "upsert": "upsertOne",
    "delete": "deleteOne",
    "deleteMany": "deleteMany",
    "aggregate": "aggregate",
    "groupBy": "groupBy",
}
READS = frozenset({name for name in ACTIONS if name.startswith("find")} | {"aggregate", "groupBy"})
MAX_DEPTH = 4
# The clock writes it, so nothing may be ordered or grouped by it.
CLOCK_FIELDS = frozenset({"updatedAt"})


def tagged(kind: str, value: Any) -> Json:
    return {"$type": kind, "value": value}


# Small pools, so that values meet: rows are found, unique keys collide.
POOLS: dict[str, list[Any]] = {
    "Int": [1, 2, 3, 4, 5, 6, 7, 0, -1],
    "String": ["a", "b", "c", "d", "A", "", "a%", "x_y", "é", 'it\'s "q"\n'],
    "Boolean": [True, False],
    "Float": [0, 1.5, -2.25, 3],
    "BigInt": [tagged("BigInt", text) for text in ("0", "1", "2", "-3", "9007199254740993")],
    "Decimal": [tagged("Decimal", text) for text in ("0", "1.5", "10", "-0.01", "12345.678")],
    "DateTime": [
        tagged("DateTime", text)
        for text in ("2020-01-01T00:00:00.000Z", "1999-12-31T23:59:59.999Z", "2021-06-15T12:30:00.120Z")
    ],
    "Bytes": [tagged("Bytes", text) for text in ("", "AQID", "/w==")],
    "Json": [tagged("Json", text) for text in ("{}", '{"a":1,"b":[1,"x"]}', '[1,"a"]', '"s"', "1", "true")],
}
JSON_PATHS = {"sqlite": ["$.a", "$.b[1]", "$.nope"], "postgresql": [["a"], ["b", "1"], ["nope"]]}


class Operations:
    """The operations of one schema on one provider."""

    def __init__(self, dmmf: Mapping[str, Any], provider: str) -> None:
        schema = dmmf["schema"]
        self._provider = provider
        self._inputs: dict[str, Json] = {type_["name"]: type_ for type_ in schema["inputObjectTypes"]["prisma"]}
        outputs = schema["outputObjectTypes"]
        self._outputs: dict[str, Json] = {type_["name"]: type_ for type_ in (*outputs["prisma"], *outputs["model"])}
        self._enums: dict[str, list[str]] = {
            enum["name"]: enum["values"] for group in schema["enumTypes"].values() for enum in group
        }
        self._refs: dict[str, Json] = {type_["name"]: type_ for type_ in schema["fieldRefTypes"]["prisma"]}
        roots = (*self._outputs["Query"]["fields"], *self._outputs["Mutation"]["fields"])
        self._roots: dict[str, Json] = {field["name"]: field for field in roots}
        self._models: dict[str, Json] = {model["name"]: model for model in dmmf["datamodel"]["models"]}
        self._operations: dict[str, Json] = {row["model"]: row for row in dmmf["mappings"]["modelOperations"]}

    def one(self, action: str) -> st.SearchStrategy[Json]:
        """An operation of any model that has this action."""
        models = [model for model in self._models if ACTIONS[action] in self._operations[model]]
        return st.composite(lambda draw: self._operation(cast("Draw", draw), draw(st.sampled_from(models)), action))()

    def any(self) -> st.SearchStrategy[Json]:
        return st.sampled_from(list(ACTIONS)).flatmap(self.one)

    def batch(self) -> st.SearchStrategy[Json]:
        """Operations in one transaction: `{"batch": [...]}`."""
        return st.lists(self.any(), min_size=2, max_size=4).map(lambda inner: {"batch": inner})

    def _operation(self, draw: Draw, model: str, action: str) -> Json:
        root = self._roots[self._operations[model][ACTIONS[action]]]
        args = self._arguments(draw, model, root["args"], MAX_DEPTH, grouped=action == "groupBy")
        output = self._outputs.get(root["outputType"]["type"])
        if action in ("aggregate", "groupBy"):
            args |= self._aggregates(draw, cast("Json", output))
        elif output and output["name"] != "AffectedRowsOutput":
            args |= self._selection(draw, output, MAX_DEPTH - 2)
        return {"model": model, "action": action, "args": args}

    def _arguments(
        self, draw: Draw, model: str, arguments: Sequence[Json], depth: int, *, grouped: bool = False
    ) -> Json:
        args: Json = {}
        for argument in arguments:
            name = argument["name"]
            wanted = argument["isRequired"] or draw(st.integers(0, 9)) < (6 if name == "where" else 2)
            if wanted and name not in ("orderBy", "by"):
                args[name] = self._value(draw, argument, model, depth)
        names = {argument["name"]: argument for argument in arguments}
        if "by" in names:
            args["by"] = self._distinct_fields(draw, names["by"], minimum=1)
        if isinstance(args.get("distinct"), list):
            args["distinct"] = self._distinct_fields(draw, names["distinct"], minimum=0)
        if "orderBy" in names:
            own = draw(st.lists(st.just(None), max_size=1 if grouped else 2))
            drawn = [self._object(draw, self._input_of(names["orderBy"]), model, depth) for _ in own]
            unique = args["by"] if grouped else self._key(model)
            args["orderBy"] = [one for one in drawn if one] + [{field: "asc"} for field in unique]
        return args

    def _distinct_fields(self, draw: Draw, argument: Json, *, minimum: int) -> list[str]:
        fields = [name for name in self._enums[argument["inputTypes"][0]["type"]] if name not in CLOCK_FIELDS]
        return draw(st.lists(st.sampled_from(fields), min_size=minimum, max_size=2, unique=True))

    def _key(self, model: str) -> list[str]:
        compound = self._models[model]["primaryKey"]
        if compound:
            return list(compound["fields"])
        return [field["name"] for field in self._models[model]["fields"] if field["isId"]]

    def _input_of(self, argument: Json) -> Json:
        return self._inputs[argument["inputTypes"][0]["type"]]

    # ------------------------------------------------------------ values

    def _value(self, draw: Draw, field: Json, model: str, depth: int) -> Any:
        name = field["name"]
        if name == "take":
            return draw(st.sampled_from([1, 2, 3, 100, 0, -1, -2]))
        if name == "skip":
            return draw(st.sampled_from([0, 1, 2]))
        if name == "limit":
            return draw(st.sampled_from([0, 100]))
        if name == "path":
            return draw(st.sampled_from(JSON_PATHS[self._provider]))
        if name in ("divide", "multiply"):
            return self._nonzero(draw, field["inputTypes"][0]["type"])
        types: list[Json] = field["inputTypes"]
        choices = [one for one in types if depth > 0 or one["location"] != "inputObjectTypes"] or types
        if field["isNullable"] and draw(st.integers(0, 9)) > 1:  # null is one of the choices, seldom the wanted one
            choices = [one for one in choices if one["type"] != "Null"] or choices
        plain = [one for one in choices if one["location"] != "fieldRefTypes"]
        return self._of_type(draw, draw(st.sampled_from(plain if draw(st.integers(0, 9)) else choices)), model, depth)

    @staticmethod
    def _nonzero(draw: Draw, type_: str) -> Any:
        return tagged(type_, draw(st.sampled_from(["2", "-3"]))) if type_ in ("BigInt", "Decimal") else 2

    def _of_type(self, draw: Draw, reference: Json, model: str, depth: int) -> Any:
        kind, location = reference["type"], reference["location"]
        if reference["isList"]:
            if kind == "Bytes":  # adapter-pg writes the base64 text of each element instead of the element
                return []
            return [
                self._of_type(draw, reference | {"isList": False}, model, depth) for _ in range(draw(st.integers(0, 2)))
            ]
        if location == "inputObjectTypes":
            return self._object(draw, self._inputs[kind], model, depth - 1)
        if location == "enumTypes":
            value = draw(st.sampled_from(self._enums[kind]))
            return tagged("Null", value) if "JsonNull" in kind else value
        if location == "fieldRefTypes":
            return self._field_reference(draw, self._refs[kind], model)
        if kind == "Null":
            return None
        return draw(st.sampled_from(POOLS[kind]))

    def _field_reference(self, draw: Draw, reference: Json, model: str) -> Any:
        allowed = {(one["type"], one["isList"]) for one in reference["allowTypes"]}
        fields = [
            field["name"]
            for field in self._models[model]["fields"]
            if field["kind"] != "object" and (field["type"], field["isList"]) in allowed
        ]
        if not fields:
            return self._of_type(draw, reference["allowTypes"][0], model, 0)
        return tagged("FieldRef", {"_ref": draw(st.sampled_from(fields)), "_container": model})

    def _object(self, draw: Draw, type_: Json, model: str, depth: int) -> Json:
        if type_["name"].endswith(("WhereInput", "WhereUniqueInput")):
            model = type_["name"].removesuffix("WhereInput").removesuffix("WhereUniqueInput").removesuffix("Scalar")
        fields = {field["name"]: field for field in type_["fields"] if self._possible(type_, field, depth)}
        chosen = [name for name in fields if self._always(type_, fields[name])]
        limits = type_["constraints"]
        unique = [name for name in limits.get("fields") or () if name in fields]
        if unique:
            chosen.append(draw(st.sampled_from(unique)))
        rest = [name for name in fields if name not in chosen]
        room = (limits["maxNumFields"] or 3) - len(chosen)
        least = max(0, (limits["minNumFields"] or 0) - len(chosen))
        least = max(least, 1 if limits["maxNumFields"] == 1 and not chosen else 0)
        few = not unique or draw(st.integers(0, 4)) == 0
        if rest and room > 0 and few:
            chosen += draw(st.lists(st.sampled_from(rest), min_size=min(least, len(rest)), max_size=room, unique=True))
        return {name: self._value(draw, fields[name], model, depth) for name in chosen}

    @staticmethod
    def _possible(type_: Json, field: Json, depth: int) -> bool:
        # adapter-libsql binds a number as REAL, so SQLite divides it with a fraction; ours is an integer.
        if field["name"] == "divide" and type_["name"].startswith(("IntField", "NullableIntField")):
            return False
        if "OrderBy" in type_["name"] and field["name"] in CLOCK_FIELDS:
            return False
        return depth > 0 or field["isRequired"] or any(o["location"] != "inputObjectTypes" for o in field["inputTypes"])

    @staticmethod
    def _always(type_: Json, field: Json) -> bool:
        """Required, or an id that two right answers would choose differently.

        A ticket's is random. Rows of one createMany that give different columns become several INSERTs, and their order
        is that of a hash map in Prisma's compiler: the rows with an id may come before or after those that count up.
        """
        name: str = type_["name"]
        chosen_anyhow = (name.startswith("Ticket") and "Create" in name) or "CreateMany" in name
        return field["isRequired"] or (field["name"] == "id" and chosen_anyhow)

    # ------------------------------------------------------------ what comes back

    def _selection(self, draw: Draw, output: Json, depth: int) -> Json:
        fields: list[Json] = output["fields"]
        scalars = [field["name"] for field in fields if field["outputType"]["location"] != "outputObjectTypes"]
        relations = [field for field in fields if field["outputType"]["location"] == "outputObjectTypes"]
        kinds = ["scalars", "scalars", "select", "omit"] + (["include", "include", "include"] if relations else [])
        kind = draw(st.sampled_from(kinds))
        some_scalars = st.lists(st.sampled_from(scalars), min_size=1, max_size=3, unique=True)
        if kind == "scalars":
            return {}
        if kind == "omit":
            return {"omit": dict.fromkeys(draw(some_scalars), True)} if len(scalars) > 3 else {}
        picked: Json = dict.fromkeys(draw(some_scalars), True) if kind == "select" else {}
        if relations and depth > 0:
            for field in draw(st.lists(st.sampled_from(relations), max_size=2, unique_by=lambda one: one["name"])):
                picked[field["name"]] = self._relation(draw, field, depth)
        return {kind: picked} if picked else {}

    def _relation(self, draw: Draw, field: Json, depth: int) -> Any:
        target = self._outputs[field["outputType"]["type"]]
        if field["name"] == "_count":
            counted = draw(st.lists(st.sampled_from(target["fields"]), min_size=1, unique_by=lambda one: one["name"]))
            return {"select": {one["name"]: self._count(draw, one) for one in counted}}
        args = self._arguments(draw, target["name"], field["args"], 2)
        return (args | self._selection(draw, target, depth - 1)) or True

    def _count(self, draw: Draw, field: Json) -> Any:
        where = next((argument for argument in field["args"] if argument["name"] == "where"), None)
        if where is None or draw(st.booleans()):
            return True
        return {"where": self._value(draw, where, self._input_of(where)["name"].removesuffix("WhereInput"), 2)}

    def _aggregates(self, draw: Draw, output: Json) -> Json:
        groups = [field for field in output["fields"] if field["name"].startswith("_")]
        chosen = draw(st.lists(st.sampled_from(groups), min_size=1, max_size=3, unique_by=lambda one: one["name"]))
        picked: Json = {}
        for group in chosen:
            fields = [field["name"] for field in self._outputs[group["outputType"]["type"]]["fields"]]
            some = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=3, unique=True))
            picked[group["name"]] = dict.fromkeys(some, True)
        return picked
