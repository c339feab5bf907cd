"""Poses as PyTorch Geometric's graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from skelgraph.skeleton.bones import parent_distance, safe_norm


def to_data(
    name: str, x: Any, edge_index: Tensor, edge_type: Tensor, parents: Sequence[int], fields: dict[str, Any]
) -> Data:
    """See :meth:`Skeleton.to_data`."""
    x = torch.as_tensor(x)
    if not x.is_floating_point():
        x = x.to(torch.get_default_dtype())
    joints = len(parents)
    if x.dim() != 2 or x.size(0) != joints or x.size(1) < 2:
        raise ValueError(
            f"skeleton {name!r} has {joints} joints: x must be [{joints}, C] with C >= 2, not {list(x.shape)}"
        )
    edge_index = edge_index.to(x.device)
    source, target = edge_index
    return Data(
        x=x,
        pos=x[:, :2],
        edge_index=edge_index,
        edge_type=edge_type.to(x.device),
        edge_attr=safe_norm(x[source, :2] - x[target, :2], keepdim=True),
        parent_distance=parent_distance(x[:, :2], parents),
        num_nodes=joints,
        **fields,
    )
