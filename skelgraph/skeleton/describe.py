"""A skeleton in words."""

from __future__ import annotations

import numpy as np

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.edges import EDGE_TYPES


def describe(skeleton: Skeleton) -> str:
    """A summary of a skeleton for the terminal: its parts, pairs, edges by type, and each joint with its parent."""
    types = np.bincount(skeleton.edge_type.numpy(), minlength=3)
    edges = ", ".join(f"{count} {name}" for name, count in zip(EDGE_TYPES, types, strict=False))
    bones, extra = len(skeleton.bones), len(skeleton.extra_edges)
    names = [skeleton.joints[i] for i in skeleton.origin]
    head = [
        f"{skeleton.name}: {skeleton.num_joints} joints, {bones} bones, {extra} extra edges",
        f"edges   {skeleton.num_edges}: {edges}",
        f"center  {skeleton.joints[skeleton.center]} (hops are counted from here)",
        f"origin  {', '.join(names)}" + (" (their mean)" if len(names) > 1 else ""),
        f"roots   {', '.join(skeleton.joints[i] for i in skeleton.roots)}",
        f"parts   {', '.join(f'{name} {len(members)}' for name, members in skeleton.parts.items())}",
        f"limbs   {', '.join(f'{name} {len(members)}' for name, members in skeleton.limbs.items())}",
        f"pairs   {len(skeleton.pairs)} left and right",
    ]
    return "\n".join([*head, "", *_joint_lines(skeleton)]) + "\n"


def _joint_lines(skeleton: Skeleton) -> list[str]:
    mirror = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}
    part = {joint: name for name, members in skeleton.parts.items() for joint in members}
    hops = skeleton.hops().tolist()
    rows = [("", "joint", "parent", "hops", "part", "mirror")]
    for i, (joint, parent) in enumerate(zip(skeleton.joints, skeleton.parents, strict=True)):
        above, twin = (skeleton.joints[other] if other >= 0 else "-" for other in (parent, mirror.get(i, -1)))
        rows.append((str(i), joint, above, str(hops[i]), part[i], twin))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0], cells[3] = row[0].rjust(widths[0]), row[3].rjust(widths[3])
        lines.append("  ".join(cells).rstrip())
    return lines
