"""A skeleton's arguments from plain forms: the mapping of its YAML file, and bones by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skelgraph.files.messages import nearest

_FIELDS = ("name", "joints", "parents", "bones", "root", "center", "pairs", "parts", "limbs", "origin", "extra_edges")


def from_mapping(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments of what a file holds: ``parents`` by name or index, or ``bones`` by name.

    Raises:
        ValueError: for an unknown, missing or mistyped field.
    """
    for key in fields:
        if key not in _FIELDS:
            raise ValueError(f"skeleton field {key!r} is not known{nearest(key, _FIELDS)}")
    rest = dict(fields)
    try:
        name = str(rest.pop("name"))
        if "bones" in rest:
            twice = [key for key in ("joints", "parents") if key in rest]
            if twice:
                raise ValueError(f"skeleton {name!r}: bones stand for {twice[0]!r}; give one of them")
            bones = [(str(a), str(b)) for a, b in rest.pop("bones")]
            joints, parents = from_bones(name, bones, rest.pop("root", None))
        else:
            joints = rest.pop("joints")
            parents = [p if isinstance(p, int) else joints.index(p) for p in rest.pop("parents")]
    except KeyError as error:
        raise ValueError(f"a skeleton needs the fields name, joints and parents; missing: {error}") from None
    return {"name": name, "joints": joints, "parents": parents, **rest}


def from_bones(
    name: str, bones: Iterable[tuple[str, str]], root: str | Sequence[str] | None = None
) -> tuple[list[str], list[int]]:
    """Joints in order of first appearance, the root or roots first, and their parents.

    Raises:
        ValueError: if a joint has two parents, or a root has one.
    """
    roots = [root] if isinstance(root, str) else list(root or [])
    parent_of: dict[str, str | None] = dict.fromkeys(roots)
    for parent, child in bones:
        parent_of.setdefault(parent, None)
        first = parent_of.get(child)
        if first is not None:
            twice = f"twice from {parent!r}" if first == parent else f"from {first!r} and from {parent!r}"
            raise ValueError(f"skeleton {name!r}: joint {child!r} has two parents: it is reached {twice}")
        parent_of[child] = parent
    for each in roots:
        if parent_of[each] is not None:
            raise ValueError(f"skeleton {name!r}: root {each!r} has the parent {parent_of[each]!r}")
    joints = list(parent_of)
    return joints, [-1 if parent is None else joints.index(parent) for parent in parent_of.values()]
