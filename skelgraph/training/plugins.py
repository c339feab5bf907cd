"""Packages of users, which bring layers, models, datasets and more by the names in their ``__all__``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from skelgraph.errors import ConfigError

Plugins = Sequence[str | ModuleType]
"""Packages, as modules or by the name that they are imported by."""


def load(plugins: Plugins) -> list[ModuleType]:
    """The packages as modules. Only names that the caller passes are imported, never one that stands in a file.

    Raises:
        ConfigError: if one cannot be imported or has no ``__all__``.
    """
    modules = []
    for plugin in plugins:
        try:
            module = importlib.import_module(plugin) if isinstance(plugin, str) else plugin
        except ImportError as error:
            raise ConfigError(f'plugins=["{plugin}"]: {error}; it must be importable here (PYTHONPATH)') from None
        if not hasattr(module, "__all__"):
            raise ConfigError(f'plugins=["{module.__name__}"]: has no __all__, so no names to add')
        modules.append(module)
    return modules


def needed(settings: Mapping[str, Any], plugins: Sequence[ModuleType]) -> list[str]:
    """The names of those packages of which the configuration names something."""
    words = set(_words(settings))
    return [plugin.__name__ for plugin in plugins if words & set(plugin.__all__)]


def check(settings: Mapping[str, Any], plugins: Sequence[ModuleType], source: object = "") -> None:
    """Compares the packages that a configuration records under ``plugins`` with those that are there.

    Raises:
        ConfigError: naming the first that is needed and not passed.
    """
    recorded = settings.get("plugins") or []
    if not isinstance(recorded, list) or not all(isinstance(name, str) for name in recorded):
        raise ConfigError(f"{source or 'plugins'}: plugins: expected a list of packages' names, found {recorded!r}")
    passed = {plugin.__name__ for plugin in plugins}
    for name in recorded:
        if name not in passed:
            before = f"{source}: " if source else ""
            raise ConfigError(f'{before}needs the package {name}: pass plugins=["{name}"]')


def _words(value: Any) -> Iterator[str]:
    """All keys and all strings of a configuration."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
