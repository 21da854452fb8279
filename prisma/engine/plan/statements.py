"""The nodes of a plan that ask the database, and transactions around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from prisma.engine.plan.frame import Frame, Impure, Node, statements_of
from prisma.engine.plan.operands import Operand, Operands, Scope
from prisma.engine.plan.templates import Bind, Template
from prisma.errors import DataError, UnsupportedPlanError

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class StatementCompiler:
    """Compiles `query` and `execute`; `writes` tells whether any statement so far changes data."""

    def __init__(self, operands: Operands, *, bind: Bind, max_parameters: int) -> None:
        self.writes = False
        self._operands = operands
        self._bind = bind
        self._max_parameters = max_parameters

    def query(self, args: dict[str, Any], scope: Scope) -> Node:
        """A node for the rows of a statement as records."""
        rows_of = self.rows(args, scope)

        async def run(frame: Frame) -> Any:
            rows = await rows_of(frame)
            if not rows:
                return []
            columns = statements_of(frame).columns()
            return [dict(zip(columns, row, strict=True)) for row in rows]

        return Node(run, impure=True)

    def rows(self, args: dict[str, Any], scope: Scope) -> Impure:
        """A function for the rows of a statement, as the driver gives them."""
        template, values_of = self._template(args, scope)
        if template.fixed:
            sql = template.sql

            async def run_fixed(frame: Frame) -> Any:
                return await statements_of(frame).query(sql, values_of(frame))

            return run_fixed

        async def run_one(frame: Frame) -> Any:
            rendered = template.render(values_of(frame))
            if len(rendered) == 1:
                return await statements_of(frame).query(*rendered[0])
            return await chunks(frame, rendered)

        async def chunks(frame: Frame, rendered: list[Any]) -> Any:
            # Parts of one statement see one state of the database, and a write is whole.
            async def run(_frame: Frame) -> Any:
                parts = [await statements_of(frame).query(*statement) for statement in rendered]
                return [row for part in parts for row in part]

            return await in_transaction(Node(run, impure=True)).run(frame)

        return run_one

    def execute(self, args: dict[str, Any], scope: Scope) -> Node:
        """A node for the number of rows that a statement affects."""
        self.writes = True
        template, values_of = self._template(args, scope)
        if template.fixed:
            sql = template.sql

            async def run_fixed(frame: Frame) -> int:
                return await statements_of(frame).execute(sql, values_of(frame))

            return Node(run_fixed, impure=True)

        async def run_one(frame: Frame) -> int:
            rendered = template.render(values_of(frame))
            if len(rendered) == 1:
                return await statements_of(frame).execute(*rendered[0])

            async def run(_frame: Frame) -> int:
                return sum([await statements_of(frame).execute(*statement) for statement in rendered])

            return await in_transaction(Node(run, impure=True)).run(frame)

        return Node(run_one, impure=True)

    def _template(self, args: dict[str, Any], scope: Scope) -> tuple[Template, Callable[[Frame], Sequence[Any]]]:
        if args["type"] == "rawSql":
            args = _as_template(args)
        if args["type"] != "templateSql":
            raise UnsupportedPlanError(f"The plan has a query {args['type']!r} that this client does not know.")
        template = Template(args, bind=self._bind, max_parameters=self._max_parameters)
        first = next((piece["chunk"] for piece in args["fragments"] if piece["type"] == "stringChunk"), "")
        self.writes |= first.lstrip().upper().startswith(WRITES)
        return template, self._arguments([self._operands.operand(value, scope) for value in args["args"]], template)

    def _arguments(self, operands: list[Operand], template: Template) -> Callable[[Frame], Sequence[Any]]:
        """A function for the statement's values; those of a fixed text are already as the driver wants them."""
        conversions: list[tuple[int, Callable[[Any], Any]]] = []
        for place, convert in template.conversions:
            operand = operands[place]
            if convert is None:
                continue
            if isinstance(operand, int) and self._operands.is_constant(operand):
                operands[place] = self._operands.slot(convert(self._operands.template[operand]))
            else:
                conversions.append((place, convert))
        slots = [operand for operand in operands if isinstance(operand, int)]
        if len(slots) == len(operands) and not conversions:
            match slots:
                case []:
                    return lambda _frame: ()
                case [only]:
                    return lambda frame: (frame[only],)
                case _:
                    return itemgetter(*slots)
        getters = [itemgetter(operand) if isinstance(operand, int) else operand for operand in operands]

        def values(frame: Frame) -> Sequence[Any]:
            found = [get(frame) for get in getters]
            for place, convert in conversions:
                found[place] = convert(found[place])
            return found

        return values


def _as_template(raw: dict[str, Any]) -> dict[str, Any]:
    """A `rawSql` as a template of one text: its values are bound as they are."""
    return {
        "type": "templateSql",
        "fragments": [{"type": "stringChunk", "chunk": raw["sql"]}, *([{"type": "parameter"}] * len(raw["args"]))],
        "placeholderFormat": {"prefix": "", "hasNumbering": False},
        "args": raw["args"],
        "argTypes": raw["argTypes"],
        "chunkable": False,
    }


def in_transaction(node: Node) -> Node:
    """The node inside a transaction of its own, or a savepoint where there is a transaction already."""

    async def run(frame: Frame) -> Any:
        statements = statements_of(frame)
        await statements.begin()
        try:
            value = await node.run(frame) if node.impure else node.run(frame)
        except Exception:
            # The reason is what the caller must hear, even where the connection broke and rolls back by itself.
            with suppress(DataError):
                await statements.rollback()
            raise
        await statements.commit()
        return value

    return Node(run, impure=True)
