"""A skeleton as a value: joints, bones, and what models and datasets ask of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import networkx as nx
import torch
import yaml
from torch import Tensor
from torch_geometric.data import Data

from skelgraph.files import yaml_file
from skelgraph.skeleton import edges, networkx_graphs
from skelgraph.skeleton.bones import parent_distance, safe_norm

Joint = int | str


class Skeleton:
    """A frozen, hashable skeleton: named joints in a forest of bones, with what else is known of them.

    Joints may be given by name or by index wherever ``int | str`` stands.

    Args:
        name: the skeleton's name.
        joints: J unique joint names.
        parents: the index of each joint's parent, -1 for a root. Several roots make a forest.
        center: the joint that hops are counted from for edge types; default the first root.
        pairs: (left, right) joints that trade places when a pose is mirrored; default every ``left_x`` with its
            ``right_x``.
        parts: disjoint, named groups of joints that cover the skeleton; default one part.
        limbs: named groups of joints to pool over; default the branches that leave the center.
        origin: joints whose mean is zero in targets and outputs; default the first root.
        extra_edges: edges beyond the bones.

    Raises:
        ValueError: for an empty, cyclic or inconsistent skeleton; the message names the joints.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    center: int
    pairs: tuple[tuple[int, int], ...]
    parts: Mapping[str, tuple[int, ...]]
    limbs: Mapping[str, tuple[int, ...]]
    origin: tuple[int, ...]
    extra_edges: tuple[tuple[int, int], ...]

    def __init__(
        self,
        name: str,
        joints: Sequence[str],
        parents: Sequence[int],
        *,
        center: Joint | None = None,
        pairs: Sequence[tuple[Joint, Joint]] | None = None,
        parts: Mapping[str, Sequence[Joint]] | None = None,
        limbs: Mapping[str, Sequence[Joint]] | None = None,
        origin: Sequence[Joint] | None = None,
        extra_edges: Sequence[tuple[Joint, Joint]] = (),
    ) -> None:
        fields: dict[str, Any] = {"name": name, "joints": tuple(joints), "parents": tuple(int(p) for p in parents)}
        self.__dict__.update(fields)
        networkx_graphs.check_joints(name, self.joints)
        networkx_graphs.check_parents(name, self.joints, self.parents)
        fields["center"] = self.roots[0] if center is None else self.index(center)
        fields["origin"] = self._unique("origin", (self.roots[0],) if origin is None else origin)
        fields["pairs"] = self._pairs(pairs)
        fields["extra_edges"] = self._extra_edges(extra_edges)
        self.__dict__.update(fields)
        fields["parts"] = self._groups("parts", {name: range(len(self.joints))} if parts is None else parts)
        missing = set(range(self.num_joints)) - {i for part in fields["parts"].values() for i in part}
        if missing:
            raise ValueError(f"skeleton {name!r}: parts must cover every joint; left out: {self._named(missing)}")
        fields["limbs"] = self._groups("limbs", networkx_graphs.branches(self) if limbs is None else limbs)
        self.__dict__.update(fields)

    # ---- construction from other forms

    @classmethod
    def from_edges(
        cls, name: str, bones: Iterable[tuple[str, str]], *, root: str | Sequence[str] | None = None, **fields: Any
    ) -> Skeleton:
        """Makes a skeleton of (parent, child) bones by name, in order of first appearance.

        Args:
            name: the skeleton's name.
            bones: (parent, child) joint names.
            root: root or roots to put first; needed only for joints that no bone names.
            **fields: the remaining arguments of :class:`Skeleton`.

        Raises:
            ValueError: if a joint has two parents, or for anything that :class:`Skeleton` refuses.
        """
        roots = [root] if isinstance(root, str) else list(root or [])
        joints, parents = networkx_graphs.from_bones(name, bones, roots)
        return cls(name, joints, parents, **fields)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Skeleton:
        """Makes a skeleton of the mapping that :meth:`to_dict` gives; ``bones`` (by name) may stand for ``parents``.

        Raises:
            ValueError: for an unknown, missing or mistyped field, or anything that :class:`Skeleton` refuses.
        """
        known = ("name", "joints", "parents", "bones", "root", "center", "pairs", "parts", "limbs", "origin")
        for key in fields:
            if key not in (*known, "extra_edges"):
                near = get_close_matches(str(key), known, 1)
                raise ValueError(
                    f"skeleton field {key!r} is not known" + (f"; did you mean {near[0]!r}?" if near else "")
                )
        rest = dict(fields)
        try:
            name = str(rest.pop("name"))
            if "bones" in rest:
                return cls.from_edges(name, [(str(a), str(b)) for a, b in rest.pop("bones")], **rest)
            parents = [p if isinstance(p, int) else rest["joints"].index(p) for p in rest.pop("parents")]
            return cls(name, rest.pop("joints"), parents, **rest)
        except KeyError as error:
            raise ValueError(f"a skeleton needs the fields name, joints and parents; missing: {error}") from None
        except (TypeError, AttributeError) as error:
            raise ValueError(f"skeleton {fields.get('name')!r} has a field of the wrong type: {error}") from None

    @classmethod
    def from_yaml(cls, path: str | Path) -> Skeleton:
        """Reads the YAML that :meth:`to_yaml` writes.

        Raises:
            ValueError: naming the file, for unsafe or ill-formed YAML and anything that :class:`Skeleton` refuses.
        """
        content = yaml_file.read(Path(path))
        try:
            return cls.from_dict(content)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def from_networkx(cls, graph: nx.Graph | nx.DiGraph, *, root: str | None = None, **fields: Any) -> Skeleton:
        """Makes a skeleton of a networkx graph.

        A ``DiGraph`` holds bones from parent to child. An undirected graph is walked breadth-first from ``root``
        (default its first node); edges that close a cycle become ``extra_edges``. Edges with ``extra=True`` are extra.

        Raises:
            ValueError: for a joint with two parents, an unknown root, or anything that :class:`Skeleton` refuses.
        """
        name = str(fields.pop("name", graph.name or "skeleton"))
        joints, parents, extra = networkx_graphs.from_networkx(name, graph, root)
        return cls(name, joints, parents, **{"extra_edges": extra, **fields})

    # ---- what is asked of a skeleton

    @property
    def num_joints(self) -> int:
        return len(self.joints)

    @cached_property
    def roots(self) -> tuple[int, ...]:
        return tuple(i for i, p in enumerate(self.parents) if p == -1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) of each joint but the roots, by child."""
        return tuple((p, i) for i, p in enumerate(self.parents) if p != -1)

    @cached_property
    def depth(self) -> tuple[int, ...]:
        """The number of bones between each joint and its root."""
        depth = []
        for joint in range(self.num_joints):
            steps, above = 0, self.parents[joint]
            while above != -1:
                steps, above = steps + 1, self.parents[above]
            depth.append(steps)
        return tuple(depth)

    @property
    def edge_index(self) -> Tensor:
        """LongTensor [2, E]: a self loop a joint, both directions of bones and extra edges, by (target, source)."""
        return edges.undirected(self.num_joints, (*self.bones, *self.extra_edges))

    @property
    def edge_type(self) -> Tensor:
        """LongTensor [E]: 0 CENTER, 1 CLOSER, 2 FARTHER (see :func:`skelgraph.skeleton.edges.by_center`)."""
        return edges.by_center(self)[1]

    @cached_property
    def num_edges(self) -> int:
        return self.edge_index.size(1)

    @property
    def flip_index(self) -> Tensor:
        """LongTensor [J], left and right exchanged: ``x[..., flip_index, :]`` names a mirrored pose's joints."""
        index = list(range(self.num_joints))
        for left, right in self.pairs:
            index[left], index[right] = right, left
        return torch.tensor(index)

    def index(self, joint: Joint) -> int:
        """The index of a joint, given by name or index.

        Raises:
            ValueError: if there is no such joint; the message gives the nearest name.
        """
        if isinstance(joint, str):
            if joint in self.joints:
                return self.joints.index(joint)
            near = get_close_matches(joint, self.joints, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(self.joints[:40])}"
            raise ValueError(f"skeleton {self.name!r} has no joint {joint!r}{hint}")
        if not isinstance(joint, int) or isinstance(joint, bool) or not 0 <= joint < self.num_joints:
            raise ValueError(
                f"skeleton {self.name!r} has no joint {joint!r}; indices run from 0 to {self.num_joints - 1}"
            )
        return joint

    def hops(self, source: Joint | None = None) -> Tensor:
        """LongTensor [J]: hops over bones and extra edges from ``source`` (default the center).

        In a component that the source does not reach, hops count from its first root.
        """
        neighbours: list[list[int]] = [[] for _ in self.joints]
        for a, b in (*self.bones, *self.extra_edges):
            neighbours[a].append(b)
            neighbours[b].append(a)
        hops: dict[int, int] = {}
        for start in (self.center if source is None else self.index(source), *self.roots):
            if start not in hops:
                hops |= edges.hops_from(start, neighbours)
        return torch.tensor([hops[i] for i in range(self.num_joints)])

    def subset(self, joints: Sequence[Joint], name: str | None = None) -> Skeleton:
        """The skeleton of some joints, in the order given; a joint's parent is its nearest kept ancestor.

        Pairs, parts, limbs, origin and extra edges keep what is left of them.

        Raises:
            ValueError: for an unknown or repeated joint, or none.
        """
        kept = self._unique("subset", joints)
        new = {old: i for i, old in enumerate(kept)}

        def parent(joint: int) -> int:
            above = self.parents[joint]
            while above != -1 and above not in new:
                above = self.parents[above]
            return new.get(above, -1)

        parents = [parent(i) for i in kept]
        bones = {frozenset(bone) for bone in enumerate(parents)}
        extra_edges = [(new[a], new[b]) for a, b in self.extra_edges if a in new and b in new]

        def group(groups: Mapping[str, tuple[int, ...]]) -> dict[str, list[int]]:
            left = {key: [new[i] for i in members if i in new] for key, members in groups.items()}
            return {key: members for key, members in left.items() if members}

        return Skeleton(
            name or f"{self.name}_{len(kept)}",
            [self.joints[i] for i in kept],
            parents,
            center=new.get(self.center),
            pairs=[(new[a], new[b]) for a, b in self.pairs if a in new and b in new],
            parts=group(self.parts),
            limbs=group(self.limbs),
            origin=[new[i] for i in self.origin if i in new] or None,
            extra_edges=[edge for edge in extra_edges if frozenset(edge) not in bones],
        )

    # ---- other forms

    def to_data(self, x: Any, **fields: Any) -> Data:
        r"""One pose as a PyG graph.

        ``edge_attr`` is :math:`\lVert x_s - x_t \rVert` over the first two channels, ``parent_distance``
        :math:`\lVert x_i - x_{p(i)} \rVert` likewise (Wen et al. 2024, eq. 2), in the unit of ``x``.

        Args:
            x: joint features [J, C], the first two channels the 2D position.
            **fields: further fields of the ``Data``.

        Returns:
            ``Data`` with x [J, C], edge_index [2, E], edge_type [E], edge_attr [E, 1], parent_distance [J, 1].

        Raises:
            ValueError: if ``x`` is not [J, C] with at least two channels.
        """
        x = torch.as_tensor(x)
        if not x.is_floating_point():
            x = x.to(torch.get_default_dtype())
        if x.dim() != 2 or x.size(0) != self.num_joints or x.size(1) < 2:
            raise ValueError(
                f"skeleton {self.name!r} has {self.num_joints} joints: x must be [{self.num_joints}, C] with C >= 2, "
                f"not {list(x.shape)}"
            )
        edge_index = self.edge_index.to(x.device)
        source, target = edge_index
        return Data(
            x=x,
            edge_index=edge_index,
            edge_type=self.edge_type.to(x.device),
            edge_attr=safe_norm(x[source, :2] - x[target, :2], keepdim=True),
            parent_distance=parent_distance(x[:, :2], self.parents),
            num_nodes=self.num_joints,
            **fields,
        )

    def to_networkx(self) -> nx.DiGraph:
        """Bones from parent to child; extra edges carry ``extra=True``; nodes carry their ``part``."""
        return networkx_graphs.to_networkx(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, strings and numbers, for JSON and YAML."""
        return {
            "name": self.name,
            "joints": list(self.joints),
            "parents": list(self.parents),
            "center": self.joints[self.center],
            "pairs": [self._names(pair) for pair in self.pairs],
            "parts": {key: self._names(members) for key, members in self.parts.items()},
            "limbs": {key: self._names(members) for key, members in self.limbs.items()},
            "origin": self._names(self.origin),
            "extra_edges": [self._names(edge) for edge in self.extra_edges],
        }

    def to_yaml(self, path: str | Path) -> None:
        Path(path).write_text(yaml.safe_dump(self.to_dict(), sort_keys=False), encoding="utf-8")

    # ---- value semantics

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        groups = tuple(self.parts.items()), tuple(self.limbs.items())
        own = (self.name, self.joints, self.parents, self.center, self.pairs, self.origin, self.extra_edges)
        return (*own, *groups)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Skeleton) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Skeleton({self.name!r}, joints={self.num_joints}, edges={self.num_edges})"

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"a Skeleton is frozen: {key!r} cannot be set; make a new one")

    def __delattr__(self, key: str) -> None:
        raise AttributeError(f"a Skeleton is frozen: {key!r} cannot be deleted")

    def __copy__(self) -> Skeleton:
        return self

    def __deepcopy__(self, memo: object) -> Skeleton:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Skeleton.from_dict, (self.to_dict(),)

    # ---- checks

    def _names(self, joints: Iterable[int]) -> list[str]:
        return [self.joints[i] for i in joints]

    def _named(self, joints: Iterable[int]) -> str:
        return ", ".join(f"{self.joints[i]!r} ({i})" for i in sorted(joints))

    def _unique(self, field: str, joints: Sequence[Joint]) -> tuple[int, ...]:
        members = tuple(self.index(joint) for joint in joints)
        twice = {i for i in members if members.count(i) > 1}
        if not members or twice:
            what = f"names joints twice: {self._named(twice)}" if twice else "is empty"
            raise ValueError(f"skeleton {self.name!r}: {field} {what}")
        return members

    def _groups(self, field: str, groups: Mapping[str, Sequence[Joint]]) -> Mapping[str, tuple[int, ...]]:
        owner: dict[int, str] = {}
        result = {}
        for key, joints in groups.items():
            result[key] = self._unique(f"{field}[{key!r}]", joints)
            shared = [i for i in result[key] if i in owner]
            if shared:
                first = owner[shared[0]]
                raise ValueError(f"skeleton {self.name!r}: {field} {first!r} and {key!r} share {self._named(shared)}")
            owner |= dict.fromkeys(result[key], key)
        return MappingProxyType(result)

    def _pairs(self, pairs: Sequence[tuple[Joint, Joint]] | None) -> tuple[tuple[int, int], ...]:
        if pairs is None:
            twin = {j: "right" + j.removeprefix("left") for j in self.joints if j.startswith("left")}
            pairs = cast(Sequence[tuple[Joint, Joint]], [(a, b) for a, b in twin.items() if b in self.joints])
        result = tuple((self.index(left), self.index(right)) for left, right in pairs)
        members = [i for pair in result for i in pair]
        twice = {i for i in members if members.count(i) > 1}
        if twice:
            raise ValueError(f"skeleton {self.name!r}: pairs use a joint more than once: {self._named(twice)}")
        return result

    def _extra_edges(self, extra_edges: Sequence[tuple[Joint, Joint]]) -> tuple[tuple[int, int], ...]:
        result = tuple((self.index(a), self.index(b)) for a, b in extra_edges)
        seen = {frozenset(bone) for bone in self.bones}
        for a, b in result:
            if a == b or frozenset((a, b)) in seen:
                why = "joins a joint to itself" if a == b else "is there already"
                raise ValueError(f"skeleton {self.name!r}: extra edge {self.joints[a]!r}-{self.joints[b]!r} {why}")
            seen.add(frozenset((a, b)))
        return result
