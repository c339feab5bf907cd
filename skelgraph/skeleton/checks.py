"""What a skeleton refuses. Each check raises a ValueError that names the skeleton, the field and the joints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")


def check_joints(name: str, joints: Sequence[str]) -> None:
    """Refuses no joints, names that a file format could not hold, and duplicates."""
    if not joints:
        raise ValueError(f"skeleton {name!r} has no joints")
    for kind, text in [("name", name), *(("joint name", joint) for joint in joints)]:
        if not isinstance(text, str) or not _NAME.fullmatch(text):
            raise ValueError(f"skeleton {name!r}: {kind} {text!r} must be 1 to 64 of A-Z a-z 0-9 _ . : + -")
    twice = sorted({joint for joint in joints if joints.count(joint) > 1})
    if twice:
        raise ValueError(f"skeleton {name!r} names joints twice: {', '.join(map(repr, twice))}")


def check_parents(name: str, joints: Sequence[str], parents: Sequence[int]) -> None:
    """Refuses parents that are too many or few, out of range, or run in a cycle."""
    if len(parents) != len(joints):
        raise ValueError(f"skeleton {name!r} has {len(joints)} joints but {len(parents)} parents")
    for joint, parent in enumerate(parents):
        if not -1 <= parent < len(joints):
            raise ValueError(
                f"skeleton {name!r}: joint {joints[joint]!r} ({joint}) has the parent {parent}; "
                f"expected -1 (root) or 0 to {len(joints) - 1}"
            )
    rooted = {-1}
    for joint in range(len(joints)):
        chain: list[int] = []
        while joint not in rooted:
            if joint in chain:
                cycle = [joints[i] for i in (*chain[chain.index(joint) :], joint)]
                raise ValueError(f"skeleton {name!r}: parents form a cycle: {' -> '.join(cycle)}")
            chain.append(joint)
            joint = parents[joint]
        rooted.update(chain)


def check_unique(name: str, joints: Sequence[str], field: str, members: Sequence[int]) -> None:
    """Refuses no members, and duplicates."""
    twice = {i for i in members if members.count(i) > 1}
    if not members or twice:
        what = f"names joints twice: {_named(joints, twice)}" if twice else "is empty"
        raise ValueError(f"skeleton {name!r}: {field} {what}")


def check_groups(name: str, joints: Sequence[str], field: str, groups: Mapping[str, Sequence[int]]) -> None:
    """Refuses empty groups and groups that share joints."""
    owner: dict[int, str] = {}
    for key, members in groups.items():
        check_unique(name, joints, f"{field}[{key!r}]", members)
        shared = [i for i in members if i in owner]
        if shared:
            first = owner[shared[0]]
            raise ValueError(f"skeleton {name!r}: {field} {first!r} and {key!r} share {_named(joints, shared)}")
        owner |= dict.fromkeys(members, key)


def check_parts(name: str, joints: Sequence[str], parts: Mapping[str, Sequence[int]]) -> None:
    """Refuses parts that are no groups, or leave joints out."""
    check_groups(name, joints, "parts", parts)
    missing = {*range(len(joints))} - {i for part in parts.values() for i in part}
    if missing:
        raise ValueError(f"skeleton {name!r}: parts must cover every joint; left out: {_named(joints, missing)}")


def check_pairs(name: str, joints: Sequence[str], pairs: Sequence[tuple[int, int]]) -> None:
    """Refuses pairs that share joints."""
    members = [i for pair in pairs for i in pair]
    twice = {i for i in members if members.count(i) > 1}
    if twice:
        raise ValueError(f"skeleton {name!r}: pairs use a joint more than once: {_named(joints, twice)}")


def check_extra_edges(
    name: str, joints: Sequence[str], bones: Iterable[tuple[int, int]], extra_edges: Iterable[tuple[int, int]]
) -> None:
    """Refuses loops, and edges that are bones or duplicates."""
    known = {frozenset(bone) for bone in bones}
    for a, b in extra_edges:
        if a == b or frozenset((a, b)) in known:
            why = "joins a joint to itself" if a == b else "is there already"
            raise ValueError(f"skeleton {name!r}: extra edge {joints[a]!r}-{joints[b]!r} {why}")
        known.add(frozenset((a, b)))


def _named(joints: Sequence[str], members: Iterable[int]) -> str:
    return ", ".join(f"{joints[i]!r} ({i})" for i in sorted(members))
