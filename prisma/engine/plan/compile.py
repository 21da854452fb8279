"""Query plan -> closures. Meaning of the nodes: @prisma/client-engine-runtime 7.10.0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from prisma.drivers.base import Statements
from prisma.engine.plan import records
from prisma.engine.plan.data_map import compile_data_map, compile_row_map
from prisma.engine.plan.frame import FIRST_PARAMETER, Frame, Node, statements_of
from prisma.engine.plan.operands import Operands, Scope, lookup
from prisma.engine.plan.process import compile_process
from prisma.engine.plan.rules import compile_rule, compile_rules
from prisma.engine.plan.statements import StatementCompiler, in_transaction
from prisma.engine.plan.templates import Bind
from prisma.errors import EngineError, UnsupportedPlanError


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled plan; safe to run many times at once."""

    node: Node
    template: Frame
    parameters: int
    writes: bool

    async def run(self, statements: Statements, values: Sequence[Any]) -> Any:
        """Carry the plan out on a connection, with the values of its parameters."""
        frame = self.template.copy()
        frame[0] = statements
        frame[FIRST_PARAMETER : FIRST_PARAMETER + self.parameters] = values
        return await self.node.run(frame) if self.node.impure else self.node.run(frame)


def compile_plan(source: dict[str, Any], *, parameters: int, bind: Bind, max_parameters: int) -> Plan:
    """The closures of a plan.

    Args:
        parameters: How many placeholders (`%1`, `%2`, ...) its shape has.
        bind: How the driver wants a value of an argument type written.
        max_parameters: How many values a statement may have.

    Raises:
        UnsupportedPlanError: The plan has something this client does not know.
    """
    operands = Operands(parameters)
    statements = StatementCompiler(operands, bind=bind, max_parameters=max_parameters)
    node = _Compiler(operands, statements).node(source, operands.parameters)
    return Plan(node=node, template=operands.template, parameters=parameters, writes=statements.writes)


class _Compiler:
    def __init__(self, operands: Operands, statements: StatementCompiler) -> None:
        self._operands = operands
        self._statements = statements
        self._kinds: dict[str, Callable[[Any, Scope], Node]] = {
            "value": self._value,
            "seq": self._seq,
            "get": self._get,
            "let": self._let,
            "getFirstNonEmpty": self._first_non_empty,
            "reverse": lambda args, scope: self._then(args, scope, _reverse),
            "sum": self._sum,
            "concat": self._concat,
            "unique": lambda args, scope: self._then(args, scope, _unique),
            "required": lambda args, scope: self._then(args, scope, _required),
            "join": self._join,
            "mapField": self._map_field,
            "dataMap": self._data_map,
            "validate": self._validate,
            "if": self._if,
            "unit": lambda _args, _scope: Node(lambda _frame: None, impure=False),
            "diff": self._diff,
            "initializeRecord": self._initialize_record,
            "mapRecord": self._map_record,
            "process": self._process,
            "query": statements.query,
            "execute": statements.execute,
            "transaction": self._transaction,
        }

    def node(self, source: dict[str, Any], scope: Scope) -> Node:
        kind = source.get("type")
        compile_kind = self._kinds.get(str(kind))
        if compile_kind is None:
            raise UnsupportedPlanError(f"The plan has a node {kind!r} that this client does not know.")
        return compile_kind(source.get("args"), scope)

    def _value(self, value: Any, scope: Scope) -> Node:
        return Node(self._operands.getter(value, scope), impure=False)

    # ------------------------------------------------------------------ control

    def _seq(self, args: list[dict[str, Any]], scope: Scope) -> Node:
        *before, last = [self.node(step, scope) for step in args] or [Node(lambda _frame: None, impure=False)]
        if not (last.impure or any(step.impure for step in before)):

            def run(frame: Frame) -> Any:
                for step in before:
                    step.run(frame)
                return last.run(frame)

            return Node(run, impure=False)

        async def run_impure(frame: Frame) -> Any:
            for step in before:
                if step.impure:
                    await step.run(frame)
                else:
                    step.run(frame)
            return await last.run(frame) if last.impure else last.run(frame)

        return Node(run_impure, impure=True)

    def _get(self, args: dict[str, Any], scope: Scope) -> Node:
        return Node(itemgetter(lookup(scope, args["name"])), impure=False)

    def _let(self, args: dict[str, Any], scope: Scope) -> Node:
        inner = dict(scope)
        bindings: list[tuple[int, Callable[[Frame], Any], bool]] = []
        for binding in args["bindings"]:
            bound = self.node(binding["expr"], inner)
            inner[binding["name"]] = slot = self._operands.slot()
            bindings.append((slot, bound.run, bound.impure))
        body = self.node(args["expr"], inner)
        body_run, body_impure = body.run, body.impure
        if not body_impure and not any(impure for _, _, impure in bindings):

            def run(frame: Frame) -> Any:
                for slot, step, _ in bindings:
                    frame[slot] = step(frame)
                return body_run(frame)

            return Node(run, impure=False)

        async def run_impure(frame: Frame) -> Any:
            for slot, step, impure in bindings:
                frame[slot] = await step(frame) if impure else step(frame)
            return await body_run(frame) if body_impure else body_run(frame)

        return Node(run_impure, impure=True)

    def _first_non_empty(self, args: dict[str, Any], scope: Scope) -> Node:
        slots = [lookup(scope, name) for name in args["names"]]

        def run(frame: Frame) -> Any:
            for slot in slots:
                if not records.is_empty(frame[slot]):
                    return frame[slot]
            return []

        return Node(run, impure=False)

    def _if(self, args: dict[str, Any], scope: Scope) -> Node:
        value, rule = self.node(args["value"], scope), compile_rule(args["rule"])
        then, otherwise = self.node(args["then"], scope), self.node(args["else"], scope)

        async def run(frame: Frame) -> Any:
            found = await value.run(frame) if value.impure else value.run(frame)
            chosen = then if rule(found) else otherwise
            return await chosen.run(frame) if chosen.impure else chosen.run(frame)

        return Node(run, impure=True)

    def _transaction(self, args: dict[str, Any], scope: Scope) -> Node:
        self._statements.writes = True
        return in_transaction(self.node(args, scope))

    # ------------------------------------------------------------------ records

    def _then(self, source: dict[str, Any], scope: Scope, change: Callable[[Any], Any]) -> Node:
        return self._after(self.node(source, scope), lambda value, _frame: change(value))

    def _after(self, node: Node, change: Callable[[Any, Frame], Any]) -> Node:
        """The node with its value changed."""
        inner = node.run
        if not node.impure:
            return Node(lambda frame: change(inner(frame), frame), impure=False)

        async def run(frame: Frame) -> Any:
            return change(await inner(frame), frame)

        return Node(run, impure=True)

    def _all(self, nodes: list[Node], change: Callable[[list[Any]], Any]) -> Node:
        """One node over the values of several, which are evaluated in order."""
        if not any(node.impure for node in nodes):
            return Node(lambda frame: change([node.run(frame) for node in nodes]), impure=False)

        async def run(frame: Frame) -> Any:
            return change([await node.run(frame) if node.impure else node.run(frame) for node in nodes])

        return Node(run, impure=True)

    def _sum(self, args: list[dict[str, Any]], scope: Scope) -> Node:
        return self._all([self.node(part, scope) for part in args], lambda values: sum(map(_number, values)))

    def _concat(self, args: list[dict[str, Any]], scope: Scope) -> Node:
        nodes = [self.node(part, scope) for part in args]
        return self._all(nodes, lambda values: [item for value in values for item in records.as_list(value)])

    def _map_field(self, args: dict[str, Any], scope: Scope) -> Node:
        field = args["field"]

        def change(value: Any) -> Any:
            if isinstance(value, list):
                try:
                    return [record[field] for record in cast("list[Any]", value)]
                except (TypeError, KeyError):
                    return records.map_field(value, field)
            return records.map_field(value, field)

        return self._then(args["records"], scope, change)

    def _diff(self, args: dict[str, Any], scope: Scope) -> Node:
        fields = args["fields"]
        sides = [self.node(args["from"], scope), self.node(args["to"], scope)]
        return self._all(sides, lambda values: records.difference(values[0], values[1], fields))

    def _join(self, args: dict[str, Any], scope: Scope) -> Node:
        parent, strict = self.node(args["parent"], scope), args["canAssumeStrictEquality"]
        children = [(self.node(child["child"], scope), child) for child in args["children"]]

        async def run(frame: Frame) -> Any:
            found = await parent.run(frame) if parent.impure else parent.run(frame)
            if found is None:
                return None
            values = [await node.run(frame) if node.impure else node.run(frame) for node, _ in children]
            for value, (_, child) in zip(values, children, strict=True):
                records.attach(
                    found,
                    value,
                    on=child["on"],
                    field=child["parentField"],
                    unique=child["isRelationUnique"],
                    strict=strict,
                )
            return found

        return Node(run, impure=True)

    def _validate(self, args: dict[str, Any], scope: Scope) -> Node:
        check = compile_rules(args["rules"], args["errorIdentifier"], args.get("context") or {})

        def change(value: Any) -> Any:
            check(value)
            return value

        return self._then(args["expr"], scope, change)

    def _process(self, args: dict[str, Any], scope: Scope) -> Node:
        process = compile_process(args["operations"], lambda value: self._operands.getter(value, scope))
        return self._after(self.node(args["expr"], scope), process)

    def _initialize_record(self, args: dict[str, Any], scope: Scope) -> Node:
        fields: dict[str, Callable[[Frame], Any]] = {}
        for name, initializer in args["fields"].items():
            match initializer["type"]:
                case "value":
                    fields[name] = self._operands.getter(initializer["value"], scope)
                case "lastInsertId":
                    fields[name] = _last_insert_id
                case other:
                    raise UnsupportedPlanError(f"The plan has a field initializer {other!r} that this client lacks.")
        return self._after(
            self.node(args["expr"], scope), lambda _value, frame: {name: get(frame) for name, get in fields.items()}
        )

    def _map_record(self, args: dict[str, Any], scope: Scope) -> Node:
        fields: list[tuple[str, Callable[[Any, Any], Any], Callable[[Frame], Any]]] = []
        for name, operation in args["fields"].items():
            if operation["type"] not in OPERATIONS:
                raise UnsupportedPlanError(f"The plan has a field operation {operation['type']!r} that is not known.")
            fields.append((name, OPERATIONS[operation["type"]], self._operands.getter(operation["value"], scope)))

        def change(value: Any, frame: Frame) -> Any:
            record: dict[str, Any] = dict(value or {})
            for name, operate, get in fields:
                record[name] = operate(record.get(name), get(frame))
            return record

        return self._after(self.node(args["expr"], scope), change)

    def _data_map(self, args: dict[str, Any], scope: Scope) -> Node:
        structure, enums = args["structure"], args["enums"]
        source = args["expr"]
        unique = source["type"] == "unique"
        statement = source["args"] if unique else source
        if structure["type"] != "object" or statement["type"] != "query":
            mapper = compile_data_map(structure, enums)
            return self._then(source, scope, mapper)
        # The result comes straight from one statement: map its rows by position, without records in between.
        rows_of = self._statements.rows(statement["args"], scope)
        mapper: Callable[[Any], Any] | None = None  # made when the first rows tell the columns

        async def run(frame: Frame) -> Any:
            nonlocal mapper
            rows = await rows_of(frame)
            if not rows:
                return None if unique else []
            if mapper is None:
                mapper = compile_row_map(structure, enums, statements_of(frame).columns())
            mapped = mapper(rows)
            return _unique(mapped) if unique else mapped

        return Node(run, impure=True)


def _reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def _unique(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if len(value) > 1:  # pyright: ignore[reportUnknownArgumentType]
        raise EngineError(f"Expected one record at most, got {len(value)}.")  # pyright: ignore[reportUnknownArgumentType]
    return value[0] if value else None  # pyright: ignore[reportUnknownVariableType]


def _required(value: Any) -> Any:
    if records.is_empty(value):
        raise EngineError("A value that the plan requires is empty.")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return float(value) if "." in value else int(value)
    return value


def _last_insert_id(frame: Frame) -> int:
    found = statements_of(frame).last_insert_id
    if found is None:
        raise UnsupportedPlanError("The plan asks for the last inserted id, which this database does not tell.")
    return found


def _divide(left: Any, right: Any) -> Any:
    return None if _number(right) == 0 else _number(left) / _number(right)


OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "set": lambda _left, right: right,
    "add": lambda left, right: _number(left) + _number(right),
    "subtract": lambda left, right: _number(left) - _number(right),
    "multiply": lambda left, right: _number(left) * _number(right),
    "divide": _divide,
}
