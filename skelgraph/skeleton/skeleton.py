"""A skeleton as a value: joints, bones, and what models and datasets ask of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
import yaml
from torch import Tensor

from skelgraph.files import yaml_file
from skelgraph.files.messages import nearest
from skelgraph.skeleton import checks, edges, plain_form

if TYPE_CHECKING:  # each takes about a second to load
    import networkx as nx
    from torch_geometric.data import Data

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
        checks.check_joints(name, joints := tuple(joints))
        checks.check_parents(name, joints, parents := tuple(int(p) for p in parents))
        self.__dict__.update(name=name, joints=joints, parents=parents)
        self.__dict__.update(
            center=self.roots[0] if center is None else self.index(center),
            origin=self._indices((self.roots[0],) if origin is None else origin),
            pairs=self._pairs(twins(joints) if pairs is None else pairs),
            extra_edges=self._pairs(extra_edges),
            parts=self._groups({name: range(len(joints))} if parts is None else parts),
        )
        checks.check_unique(name, joints, "origin", self.origin)
        checks.check_pairs(name, joints, self.pairs)
        checks.check_extra_edges(name, joints, self.bones, self.extra_edges)
        checks.check_parts(name, joints, self.parts)
        self.__dict__["limbs"] = self._groups(self._branches() if limbs is None else limbs)
        checks.check_groups(name, joints, "limbs", self.limbs)

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
        joints, parents = plain_form.from_bones(name, bones, root)
        return cls(name, joints, parents, **fields)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Skeleton:
        """Makes a skeleton of the mapping that :meth:`to_dict` gives; ``bones`` (by name) may stand for ``parents``.

        Raises:
            ValueError: for an unknown, missing or mistyped field, or anything that :class:`Skeleton` refuses.
        """
        try:
            return cls(**plain_form.from_mapping(fields))
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
        from skelgraph.skeleton import networkx_graphs

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
        return self.typed_edges()[1]

    def typed_edges(self, center: Joint | None = None, ties: edges.Ties = "depth") -> tuple[Tensor, Tensor]:
        """``edge_index`` [2, E] and ``edge_type`` [E] by hops from ``center`` (default the skeleton's).

        Args:
            center: a joint.
            ties: of edges whose ends are equally far, see :func:`skelgraph.skeleton.edges.by_center`.

        Raises:
            ValueError: if there is no such joint.
        """
        return edges.by_center(self.edge_index, self.hops(center).tolist(), self.depth, ties)

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
            raise ValueError(f"skeleton {self.name!r} has no joint {joint!r}{nearest(joint, self.joints)}")
        if not isinstance(joint, int) or isinstance(joint, bool) or not 0 <= joint < self.num_joints:
            raise ValueError(
                f"skeleton {self.name!r} has no joint {joint!r}; indices run from 0 to {self.num_joints - 1}"
            )
        return joint

    def hops(self, source: Joint | None = None) -> Tensor:
        """LongTensor [J]: hops over bones and extra edges from ``source`` (default the center).

        In a component that the source does not reach, hops count from its first root.
        """
        sources = (self.center if source is None else self.index(source), *self.roots)
        return torch.tensor(edges.hops_from(sources, self.num_joints, (*self.bones, *self.extra_edges)))

    def subset(self, joints: Sequence[Joint], name: str | None = None) -> Skeleton:
        """The skeleton of some joints, in the order given; a joint's parent is its nearest kept ancestor.

        Pairs, parts, limbs, origin and extra edges keep what is left of them.

        Raises:
            ValueError: for an unknown or repeated joint, or none.
        """
        kept = self._indices(joints)
        checks.check_unique(self.name, self.joints, "subset", kept)
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
            ``Data`` with x [J, C], pos [J, 2], edge_index [2, E], edge_type [E], edge_attr [E, 1] and parent_distance
            [J, 1].

        Raises:
            ValueError: if ``x`` is not [J, C] with at least two channels.
        """
        from skelgraph.skeleton import pyg_graphs

        return pyg_graphs.to_data(self.name, x, self.edge_index, self.edge_type, self.parents, fields)

    def to_networkx(self) -> nx.DiGraph:
        """Bones from parent to child; extra edges carry ``extra=True``; nodes carry their ``part``."""
        from skelgraph.skeleton import networkx_graphs

        return networkx_graphs.to_networkx(self.name, self.joints, self.bones, self.extra_edges, self.parts)

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

    # ---- joints by name or index

    def _names(self, joints: Iterable[int]) -> list[str]:
        return [self.joints[i] for i in joints]

    def _indices(self, joints: Iterable[Joint]) -> tuple[int, ...]:
        return tuple(self.index(joint) for joint in joints)

    def _pairs(self, pairs: Iterable[tuple[Joint, Joint]]) -> tuple[tuple[int, int], ...]:
        return tuple((self.index(a), self.index(b)) for a, b in pairs)

    def _groups(self, groups: Mapping[str, Iterable[Joint]]) -> Mapping[str, tuple[int, ...]]:
        return MappingProxyType({key: self._indices(joints) for key, joints in groups.items()})

    def _branches(self) -> dict[str, list[int]]:
        """The branches that leave the center, each named by its joint nearest to it."""
        hops = self.hops().tolist()
        pieces = edges.branches(self.center, self.num_joints, (*self.bones, *self.extra_edges))
        return {self.joints[min(piece, key=lambda i: (hops[i], i))]: piece for piece in pieces}


def twins(joints: Sequence[str]) -> list[tuple[str, str]]:
    """Every ``left_x`` with its ``right_x``."""
    pairs = ((joint, "right" + joint.removeprefix("left")) for joint in joints if joint.startswith("left"))
    return [(left, right) for left, right in pairs if right in joints]
