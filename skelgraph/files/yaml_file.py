"""Untrusted YAML files: plain values only, and every oddity is an error that names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from skelgraph.errors import FormatError

MAX_BYTES, MAX_DEPTH = 1_000_000, 32


class StrictLoader(yaml.SafeLoader):
    """SafeLoader without aliases, tags, merges, duplicate keys or deep nesting; reads ``1e-3`` as a number."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not allowed", problem_mark=event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem=f"tag {event.tag!r} is not allowed", problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH}", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem="a key must be a plain word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is duplicated", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_FLOAT = re.compile(r"^[-+]?(?:\d[\d_]*)(?:\.[\d_]*)?[eE][-+]?\d+$|^[-+]?\.?\d[\d_]*[eE][-+]?\d+$")
StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming file and line, for anything but one plain mapping of at most 1 MB.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path}: {path.stat().st_size} bytes; a YAML file may hold at most {MAX_BYTES}")
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | str, source: str) -> dict[str, Any]:
    """As :func:`read`, of text; ``source`` names it in errors."""
    with yaml_errors(source):
        value = yaml.load(content, StrictLoader)  # noqa: S506 - StrictLoader is a SafeLoader
    if not isinstance(value, dict):
        raise FormatError(f"{source}: expected a mapping of keys to values, not {type(value).__name__}")
    return value


@contextmanager
def yaml_errors(source: str) -> Iterator[None]:
    """Turns what a YAML loader raises into a :class:`FormatError` that names ``source`` and the line."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}" if mark else source
        raise FormatError(f"{where}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FormatError(f"{source}: not readable as YAML: {error}") from None
