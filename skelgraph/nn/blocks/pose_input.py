"""What every model does with its input: tensors of any leading dimensions and PyG graphs become [B, J, C]."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from skelgraph.nn.output import OF_LAYERS, PoseOutput


def takes_poses(forward: Callable[[Any, Tensor], Any]) -> Callable[[Any, Tensor | Data], Any]:
    """Lets a model's ``forward`` on [B, J, C] take [..., J, C] and PyG ``Data`` or ``Batch``, and answers in kind.

    The model is of input kind "pose" or "clip". A ``Data`` or ``Batch`` of N joints gives [N, C_out]. A model of clips
    of T frames is called with [..., T, J, C], or with graphs whose ``x`` is [N, T, C], and its ``forward`` with
    [B, T, J, C]; it answers for every frame, or for the middle one (then T is left out).

    Raises:
        ValueError: if the frames, joints, channels or the edges of a graph are not those of the model.
    """

    @wraps(forward)
    def wrapper(self: Any, x: Tensor | Data) -> Any:
        frames = (self.num_frames,) if self.input_kind == "clip" else ()
        if isinstance(x, Data):
            check_graph(self, x, frames)
            return shaped(forward(self, poses_of(x.x, self.skeleton.num_joints)), None)
        pose = (*frames, self.skeleton.num_joints, self.in_channels)
        if x.dim() < len(pose) or x.shape[-len(pose) :] != pose:
            raise ValueError(
                f"{type(self).__name__} takes {self.input_kind}s of {self.skeleton.name}: x must be "
                f"[..., {', '.join(map(str, pose))}], not {list(x.shape)}"
            )
        return shaped(forward(self, x.reshape(-1, *pose)), x.shape[: -len(pose)])

    return wrapper


def shaped(output: Tensor | PoseOutput, lead: torch.Size | None) -> Tensor | PoseOutput:
    """Gives each [B, (T,) J, C] of an output the leading dimensions ``lead`` in the place of B; None: as nodes."""

    def reshaped(part: Tensor, layers: int = 0) -> Tensor:
        if lead is None:
            return part.movedim(-2, layers + 1).flatten(layers, layers + 1)
        return part.reshape(*part.shape[:layers], *lead, *part.shape[layers + 1 :])

    if isinstance(output, Tensor):
        return reshaped(output)
    parts = zip(output._fields, output, strict=True)
    return PoseOutput(**{name: reshaped(part, int(name in OF_LAYERS)) for name, part in parts if part is not None})


def poses_of(nodes: Tensor, num_joints: int) -> Tensor:
    """Features of nodes [B * J, C] as poses [B, J, C], those of clips [B * J, T, C] as [B, T, J, C]."""
    return nodes.unflatten(0, (-1, num_joints)).movedim(1, -2)


def nodes_of(poses: Tensor) -> Tensor:
    """The inverse of :func:`poses_of`."""
    return poses.movedim(-2, 1).flatten(0, 1)


def check_graph(model: nn.Module, data: Data, frames: tuple[int, ...] = ()) -> None:
    """Refuses a graph that is not one of the model's skeleton, or a batch of them; ``frames`` is (T,) for clips.

    Raises:
        ValueError: naming what differs.
    """
    skeleton: Any = model.skeleton
    num_graphs, rest = divmod(data.x.size(0), skeleton.num_joints)
    what = f"{type(model).__name__} takes graphs of {skeleton!r}"
    if rest or not num_graphs:
        raise ValueError(f"{what}; {data.x.size(0)} joints are no multiple of {skeleton.num_joints}")
    expected = [*frames, model.in_channels]
    if list(data.x.shape[1:]) != expected:
        raise ValueError(f"{what} with x [N, {', '.join(map(str, expected))}], not {list(data.x.shape)}")
    if data.edge_index is None or torch.compiler.is_compiling():
        return
    starts = torch.arange(num_graphs).view(-1, 1) * skeleton.num_joints
    edges = (skeleton.edge_index.unsqueeze(1) + starts).flatten(1)
    if not torch.equal(data.edge_index.cpu(), edges):
        raise ValueError(f"{what}; these have other edges: make them with this skeleton's to_data")
