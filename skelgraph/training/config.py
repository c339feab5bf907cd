"""Configurations: strict YAML, read as sections that remember the file and line of each key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from skelgraph.errors import ConfigError
from skelgraph.files.messages import nearest
from skelgraph.files.yaml_file import MAX_BYTES, MAX_DEPTH, StrictLoader, yaml_errors


class Section(dict[str, Any]):
    """A mapping of a configuration that knows where each of its keys was written.

    Mappings inside it, those in lists too, become sections: what comes back from a checkpoint as plain JSON is the
    configuration that was read from YAML.

    Raises:
        ConfigError: if they are nested deeper than 32 levels.
    """

    def __init__(
        self, values: Mapping[str, Any] | None = None, path: str = "", marks: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.path = path
        self.marks = dict(marks or {})
        for key, value in (values or {}).items():
            self[key] = _with_sections(value, f"{path}.{key}" if path else str(key))

    def where(self, key: str) -> str:
        """Names a key in full, after the file and line that hold it: ``x.yaml, line 3: model.heads``."""
        name = f"{self.path}.{key}" if self.path else key
        return f"{self.marks[key]}: {name}" if key in self.marks else name


def _with_sections(value: Any, path: str, depth: int = 1) -> Any:
    if isinstance(value, Section) or not isinstance(value, Mapping | list | tuple):
        return value
    if depth > MAX_DEPTH:
        raise ConfigError(f"{path[:80]}: nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        inside = Section(path=path)
        inside.update({k: _with_sections(v, f"{path}.{k}", depth + 1) for k, v in value.items()})
        return inside
    return [_with_sections(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]


class _Loader(StrictLoader):
    """Plain scalars as in YAML 1.2 (``no`` is a word, ``010`` is not eight), and every mapping a :class:`Section`."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    source = ""


_SCALARS = (
    ("null", r"~|null|", [*"~n", ""]),
    ("bool", r"true|false", [*"tf"]),
    ("int", r"[-+]?(?:0|[1-9]\d{0,17})", [*"-+0123456789"]),
    ("float", r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d{1,3})?", [*"-+.0123456789"]),
)
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """Plain YAML that :func:`read` reads back to the same value: no aliases, ``'1e-3'`` quoted."""

    def ignore_aliases(self, data: object) -> bool:
        return True


for _tag, _pattern, _first in _SCALARS[2:]:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read(path: str | Path, overrides: Sequence[str] = ()) -> Section:
    """Reads a YAML file and applies ``key.of.section=value`` overrides, whose values are YAML too.

    Raises:
        FileNotFoundError: if there is no such file.
        ConfigError, FormatError: naming file, line and key, for anything but plain mappings, lists, strings and
            numbers, for a key that is duplicated, an alias, a tag, more than 1 MB, or more than 32 levels.
    """
    path = Path(path)
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; expected a YAML file")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such configuration file")
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{path}: {path.stat().st_size} bytes; a YAML file may hold at most {MAX_BYTES}")
    return changed(parse(path.read_bytes(), str(path)), overrides)


def parse(content: bytes | str, source: str) -> Section:
    """As :func:`read`, of text; ``source`` names it in errors."""
    value = _value(content, source)
    if not isinstance(value, Section):
        raise ConfigError(f"{source}: expected a mapping of keys to values, not {_kind(value)}")
    return value


def _value(content: bytes | str, source: str) -> Any:
    with yaml_errors(source):
        loader = _Loader(content)
        loader.source = source
        node = loader.get_single_node()
    return None if node is None else _construct(loader, node, "")


def _construct(loader: _Loader, node: yaml.Node, path: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, f"{path}[{i}]") for i, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_object(node)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{loader.source}, line {node.start_mark.line + 1}: {path}: {node.value} is not finite")
        return value
    section = Section(path=path)
    for key, value in node.value:
        line = f"{loader.source}, line {key.start_mark.line + 1}"
        name = key.value
        if not isinstance(key, yaml.ScalarNode) or name == "<<" or key.tag != "tag:yaml.org,2002:str":
            raise ConfigError(f"{line}: a key must be a word (in quotes if it reads as a number), found {shown(name)}")
        if name in section:
            raise ConfigError(f"{line}: key {name!r} is duplicated (first: {section.marks[name]})")
        section.marks[name] = line
        section[name] = _construct(loader, value, f"{path}.{name}" if path else name)
    return section


def changed(config: Section, overrides: Sequence[str]) -> Section:
    """The configuration with each override applied in turn, see :func:`apply`."""
    for override in overrides:
        config = apply(config, override)
    return config


def apply(config: Section, override: str) -> Section:
    """The configuration with one ``key.of.section=value`` changed or added.

    Raises:
        ConfigError: if the override is not of that form, or leads through something that is no section.
    """
    key, found, text = override.partition("=")
    *sections, last = key.strip().split(".")
    if not found or not all((*sections, last)):
        raise ConfigError(f"override {override!r}: expected key.of.section=value, such as train.epochs=10")
    source = f"command line, {override!r}"
    change = Section({last: _value(text, source)}, ".".join(sections), {last: source})
    for depth in reversed(range(len(sections))):
        change = Section({sections[depth]: change}, ".".join(sections[:depth]), {sections[depth]: source})
    return merge(config, change)


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Section:
    """``base`` with ``changes``, section by section; one that names another class (``name:``) replaces the section.

    Raises:
        ConfigError: if a section would take the place of a plain value or the reverse.
    """
    base, changes = as_section(base), as_section(changes)
    merged = Section(base, base.path or changes.path, base.marks)
    for key, value in changes.items():
        old = base.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            replaces = "name" in value and value["name"] != old.get("name")
            merged[key] = value if replaces else merge(old, value)
        elif isinstance(old, Mapping) and value is not None:
            raise ConfigError(f"{changes.where(key)}: is a section ({', '.join(old)}), not to become {shown(value)}")
        else:
            merged[key] = value
        if key in changes.marks:
            merged.marks[key] = changes.marks[key]
    return merged


def plain(value: Any) -> Any:
    """The configuration as plain dicts and lists, for JSON."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def dump(config: Mapping[str, Any]) -> str:
    """The configuration as YAML that :func:`read` reads back to the same values."""
    return yaml.dump(plain(config), Dumper=_Dumper, sort_keys=False, width=120)


def check_keys(section: Mapping[str, Any], valid: Iterable[str], what: str = "key") -> None:
    """Raises ``ConfigError`` that names file, line and the nearest valid name, if a key is not one of ``valid``."""
    section, names = as_section(section), list(valid)
    for key in section:
        if key not in names:
            raise ConfigError(f"{section.where(key)}: unknown {what}{nearest(key, names)}")


def as_section(mapping: Mapping[str, Any]) -> Section:
    """The mapping itself if it is a section, else a section without marks."""
    return mapping if isinstance(mapping, Section) else Section(mapping)


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__.replace("Section", "mapping").replace("dict", "mapping")


def shown(value: Any) -> str:
    """A value for an error message."""
    text = repr(plain(value)) if isinstance(value, Mapping | list) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
