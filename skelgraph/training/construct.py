"""Objects from sections of a configuration, checked against signatures. No name is ever imported, only looked up."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from skelgraph.errors import ConfigError
from skelgraph.files.messages import nearest
from skelgraph.training.config import Section, as_section, check_keys, shown

Named = Mapping[str, Callable[..., Any]]
Namespace = ModuleType | Sequence[ModuleType] | Named
_FACTORIES = {type, collections.abc.Callable}
_ANY = ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)


def build(
    namespace: Namespace, spec: Mapping[str, Any] | str, parts: Namespace | None = None, /, **context: Any
) -> Any:
    """Makes the object that ``{name: ..., argument: value, ...}`` describes.

    The name is looked up in the ``__all__`` of one or more modules, never imported; the constructor's annotations are
    the schema. A nested ``{name: ...}`` becomes an object of ``parts`` (default ``namespace``), or a factory of it
    where the annotation asks for a class or a callable; a bare name will do there too.

    Args:
        namespace: where names are looked up: modules, or the classes and functions by name.
        spec: name and arguments; a bare string is a name without arguments.
        parts: where nested names are looked up.
        **context: arguments of the program's own, passed if the constructor takes them.

    Raises:
        ConfigError: naming file, line, argument, what was found and what was expected.
    """
    section = as_section({"name": spec} if isinstance(spec, str) else spec)
    target = _lookup(names(namespace), section)
    arguments = Section({k: v for k, v in section.items() if k != "name"}, section.path, section.marks)
    return call(target, arguments, names(namespace if parts is None else parts), **context)


def call(target: Callable[..., Any], section: Mapping[str, Any], parts: Namespace = (), /, **context: Any) -> Any:
    """Calls ``target`` with the values of a section, checked against its annotations as :func:`build` does."""
    section = as_section(section)
    given = check(target, section, parts, **context)
    try:
        return target(**given)
    except (ValueError, TypeError) as error:
        mark = next(iter(section.marks.values()), "")
        place = ": ".join(part for part in (mark, section.path) if part)
        raise ConfigError(f"{place}: {error}" if place and place not in str(error) else str(error)) from error


def check(
    target: Callable[..., Any], section: Mapping[str, Any], parts: Namespace = (), /, **context: Any
) -> dict[str, Any]:
    """The arguments that :func:`call` would pass, without the call; raises as it does."""
    section, name = as_section(section), getattr(target, "__name__", str(target))
    parameters = inspect.signature(target).parameters
    named = {k: p for k, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL, p.POSITIONAL_ONLY)}
    for key in section:
        if key in context and key in named:
            raise ConfigError(f"{section.where(key)}: is set by the program; take it out")
    check_keys(section, [k for k in named if k not in context], f"argument of {name}")
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    given = {k: v for k, v in context.items() if k in named}
    for key, value in section.items():
        given[key] = _checked(value, hints.get(key, Any), section.where(key), names(parts), context)
    missing = [k for k, p in named.items() if p.default is p.empty and k not in given]
    if missing:
        place = ": ".join(part for part in (next(iter(section.marks.values()), ""), section.path) if part)
        raise ConfigError(f"{place}{': ' if place else ''}{name} needs {', '.join(missing)}")
    return given


def _checked(value: Any, hint: Any, where: str, parts: Named, context: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and _names_a_factory(value, hint, parts):
        mark, _, path = where.rpartition(": ")
        value = Section({"name": value}, path, {"name": mark} if mark else None)
    if isinstance(value, Section) and "name" in value and not _takes_mapping(hint):
        value = _nested(value, hint, parts, context)
        built = True
    else:
        built = isinstance(value, list) and any(isinstance(v, Section) and "name" in v for v in value)
        if built:
            value = [_nested(v, Any, parts, context) if isinstance(v, Section) else v for v in value]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=_ANY)
    except PydanticSchemaGenerationError:
        adapter = TypeAdapter(Any)
    except PydanticUserError:  # a hint that brings its own pydantic configuration, as a dataclass does
        adapter = TypeAdapter(hint)
    try:
        if built:
            return adapter.validate_python(value, strict=True)
        return adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        wanted = re.sub(r"\b(?:typing|collections\.abc)\.", "", inspect.formatannotation(hint))
        raise ConfigError(f"{where}: expected {wanted}, found {shown(value)} ({first['msg']})") from None


def _nested(section: Section, hint: Any, parts: Named, context: Mapping[str, Any]) -> Any:
    """The object of a nested spec, or where ``hint`` is a class or callable its factory."""
    if not _kinds(hint) & _FACTORIES:
        return build(parts, section, parts, **context)
    target = _lookup(parts, section)
    arguments = Section({k: v for k, v in section.items() if k != "name"}, section.path, section.marks)
    return functools.partial(target, **_partial(target, arguments, parts)) if arguments else target


def _names_a_factory(value: str, hint: Any, parts: Named) -> bool:
    """Whether a bare word stands for a class or function: where the annotation takes one and no such word."""
    kinds = _kinds(hint)
    if not kinds & _FACTORIES or str in kinds:
        return False
    return Literal not in kinds or value in parts


def _kinds(hint: Any) -> set[Any]:
    choices = typing.get_args(hint) if typing.get_origin(hint) is not type else ()
    return {typing.get_origin(h) or h for h in (hint, *choices)}


def _partial(target: Callable[..., Any], arguments: Section, parts: Named) -> dict[str, Any]:
    """Checked arguments of a call that someone else completes."""
    parameters = inspect.signature(target).parameters
    check_keys(arguments, parameters, f"argument of {getattr(target, '__name__', target)}")
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    return {k: _checked(v, hints.get(k, Any), arguments.where(k), parts, {}) for k, v in arguments.items()}


def _lookup(known: Named, section: Section) -> Any:
    name = section.get("name", "")
    if not isinstance(name, str) or name not in known:
        hint = nearest(name, known) + ' (a class of your own comes in with plugins=["PACKAGE"])'
        what = f"has no name{hint}" if name == "" else f"unknown name {shown(name)}{hint}"
        raise ConfigError(f"{section.where('name')}: {what}")
    return known[name]


def _takes_mapping(hint: Any) -> bool:
    kinds = [typing.get_origin(h) or h for h in (hint, *typing.get_args(hint))]
    return any(inspect.isclass(kind) and issubclass(kind, collections.abc.Mapping) for kind in kinds)


def names(namespace: Namespace) -> Named:
    """The classes and functions that modules name in ``__all__``; of two with one name the first module's."""
    if isinstance(namespace, Mapping):
        return namespace
    known: dict[str, Callable[..., Any]] = {}
    for module in [namespace] if isinstance(namespace, ModuleType) else namespace:
        for name in getattr(module, "__all__", ()):
            if callable(value := getattr(module, name)):
                known.setdefault(name, value)
    return known
