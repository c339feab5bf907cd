"""The typed edges of a skeleton: directed, source to target, sorted by (target, source)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor

Ties = Literal["depth", "drop"]
"""What becomes of edges whose ends are equally far from the center, see :func:`by_center`."""

CENTER, CLOSER, FARTHER, SYMMETRIC, FORWARD, BACKWARD = range(6)
EDGE_TYPES = ("center", "closer", "farther", "symmetric", "forward", "backward")


def undirected(num_nodes: int, bones: Iterable[tuple[int, int]]) -> Tensor:
    """Both directions of each bone and one self loop a node: the nonzeros of A + I, row (target) by row.

    Returns:
        LongTensor [2, E], row 0 the sources, row 1 the targets.
    """
    pairs = {(i, i) for i in range(num_nodes)}
    for a, b in bones:
        pairs |= {(a, b), (b, a)}
    return torch.tensor(sorted(pairs), dtype=torch.long).view(-1, 2).t().flip(0).contiguous()


def hops_from(sources: Iterable[int], num_nodes: int, bones: Iterable[tuple[int, int]]) -> list[int]:
    """Hops to each node from the first of ``sources`` that reaches it, by breadth-first search.

    Raises:
        ValueError: if no source reaches a node.
    """
    neighbours: list[list[int]] = [[] for _ in range(num_nodes)]
    for a, b in bones:
        neighbours[a].append(b)
        neighbours[b].append(a)
    hops: dict[int, int] = {}
    for source in sources:
        if source not in hops:
            hops |= _reached(source, neighbours)
    lost = [i for i in range(num_nodes) if i not in hops]
    if lost:
        raise ValueError(f"no source reaches the nodes {', '.join(map(str, lost))}")
    return [hops[i] for i in range(num_nodes)]


def branches(center: int, num_nodes: int, bones: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The connected pieces that are left without the center, each sorted, by their first nodes."""
    neighbours: list[list[int]] = [[] for _ in range(num_nodes)]
    for a, b in bones:
        if center not in (a, b):
            neighbours[a].append(b)
            neighbours[b].append(a)
    pieces: list[list[int]] = []
    left = {*range(num_nodes)} - {center}
    while left:
        pieces.append(sorted(_reached(min(left), neighbours)))
        left -= {*pieces[-1]}
    return pieces


def _reached(source: int, neighbours: Sequence[Sequence[int]]) -> dict[int, int]:
    """Hops from ``source`` to each node that it reaches."""
    hops, queue = {source: 0}, deque([source])
    while queue:
        node = queue.popleft()
        for other in neighbours[node]:
            if other not in hops:
                hops[other] = hops[node] + 1
                queue.append(other)
    return hops


def by_center(
    edge_index: Tensor, hops: Sequence[int], depth: Sequence[int], ties: Ties = "depth"
) -> tuple[Tensor, Tensor]:
    r"""Types edges by which end is nearer the center in hops (Cai et al., ICCV 2019, section 3.1).

    :math:`\mathrm{type}(s \to t)` = CENTER for :math:`s = t`, CLOSER for :math:`h_s < h_t`, FARTHER for
    :math:`h_s > h_t`.

    Args:
        edge_index: source and target of each edge, [2, E].
        hops: each node's distance h from the center.
        depth: each node's depth in its tree.
        ties: what becomes of edges whose ends are equally far: ``"depth"`` takes the joint that is higher in the tree
            as the nearer one, then the lower index; ``"drop"`` leaves such edges out, as Cai's code does.

    Returns:
        ``edge_index`` [2, E'] and ``edge_type`` [E'].
    """
    kept, types = [], []
    for source, target in edge_index.t().tolist():
        if source == target:
            types.append(CENTER)
        elif hops[source] == hops[target] and ties == "drop":
            continue
        else:
            nearer = (hops[source], depth[source], source) < (hops[target], depth[target], target)
            types.append(CLOSER if nearer else FARTHER)
        kept.append((source, target))
    return torch.tensor(kept, dtype=torch.long).view(-1, 2).t().contiguous(), torch.tensor(types, dtype=torch.long)


def by_symmetry(edge_index: Tensor, edge_type: Tensor, pairs: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Adds both directions of each left/right pair as SYMMETRIC; an edge that is there already becomes SYMMETRIC.

    Returns:
        ``edge_index`` [2, E'] and ``edge_type`` [E'], sorted by (target, source).
    """
    types = {(t, s): k for (s, t), k in zip(edge_index.t().tolist(), edge_type.tolist(), strict=True)}
    for left, right in pairs:
        types[left, right] = types[right, left] = SYMMETRIC
    return _sorted(types)


def over_time(edge_index: Tensor, edge_type: Tensor, num_nodes: int, num_frames: int) -> tuple[Tensor, Tensor]:
    """One graph of ``num_frames * num_nodes`` nodes: the edges of each frame, and each joint tied to itself in time.

    Node ``t * num_nodes + j`` is joint j of frame t. FORWARD runs from a frame to the next one, BACKWARD to the one
    before (Cai et al., ICCV 2019, section 3.1).

    Raises:
        ValueError: if ``num_frames`` is less than 1.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames is {num_frames}; a space-time graph needs at least 1 frame")
    types: dict[tuple[int, int], int] = {}
    for frame in range(num_frames):
        start = frame * num_nodes
        for (s, t), k in zip(edge_index.t().tolist(), edge_type.tolist(), strict=True):
            types[start + t, start + s] = k
        if frame:
            for joint in range(start, start + num_nodes):
                types[joint, joint - num_nodes] = FORWARD
                types[joint - num_nodes, joint] = BACKWARD
    return _sorted(types)


def _sorted(types: dict[tuple[int, int], int]) -> tuple[Tensor, Tensor]:
    """Edges from a mapping (target, source) -> type."""
    keys = sorted(types)
    edge_index = torch.tensor(keys, dtype=torch.long).view(-1, 2).t().flip(0).contiguous()
    return edge_index, torch.tensor([types[key] for key in keys], dtype=torch.long)
