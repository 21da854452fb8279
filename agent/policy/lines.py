"""YAML that remembers its lines, so that what is wrong in it can be shown."""

from __future__ import annotations

# pyright: reportUnknownMemberType=false
# PyYAML's stubs leave the stream's type open; what they give is typed here.
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from yaml import MappingNode, Node

Where = tuple[str | int, ...]
"""Keys and indexes from the root."""


class NotYaml(ValueError):
    """`line` is where it stops being YAML that is taken."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Lines:
    """A parsed file: `data`, and where in it everything is."""

    data: Any
    root: Node | None

    @classmethod
    def parse(cls, content: bytes) -> Lines:
        """Read YAML without aliases and without the same key twice.

        Raises:
            NotYaml: It is not.
        """
        import yaml

        try:
            loader = yaml.SafeLoader(content.decode())
            root = loader.get_single_node()
            for line, wrong in _unwanted(root, set()):
                raise NotYaml(line, wrong)
            return cls(None if root is None else loader.construct_document(root), root)
        except UnicodeDecodeError:
            raise NotYaml(1, "It is not UTF-8 text.") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = str(getattr(error, "problem", None) or error)
            raise NotYaml(1 if mark is None else mark.line + 1, f"It is not YAML: {said}.") from None

    def line(self, where: Where) -> int:
        """The line of the innermost thing at `where` that is there."""
        line = 1 if self.root is None else self.root.start_mark.line + 1
        for node in self._nodes(where):
            line = node.start_mark.line + 1
        return line

    def known(self, where: Where) -> Where:
        """`where` as far as the file goes, and the next name: pydantic goes on with names of union members."""
        return where[: len(list(self._nodes(where))) + 1]

    def _nodes(self, where: Where) -> Iterator[Node]:
        from yaml import MappingNode, SequenceNode

        node = self.root
        for step in where:
            if isinstance(node, MappingNode):
                found = next((pair for pair in _pairs(node) if pair[0].value == step), None)
                if found is None:
                    return
                key, node = found
                yield key
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = cast("Node", node.value[step])
                yield node
            else:
                return


def _pairs(node: MappingNode) -> list[tuple[Node, Node]]:
    return cast("list[tuple[Node, Node]]", node.value)


def _unwanted(node: Node | None, seen: set[int]) -> Iterator[tuple[int, str]]:
    """What YAML allows and a policy must not have: aliases, and keys of which the later one would win."""
    from yaml import MappingNode, SequenceNode

    if node is None:
        return
    if id(node) in seen:
        yield node.start_mark.line + 1, "Aliases (*name) are not taken: write out what is meant."
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        keys: set[str] = set()
        for key, value in _pairs(node):
            if key.value in keys:
                yield key.start_mark.line + 1, f"{key.value!r} is there twice."
            keys.add(key.value)
            yield from _unwanted(value, seen)
    elif isinstance(node, SequenceNode):
        for item in cast("list[Node]", node.value):
            yield from _unwanted(item, seen)
