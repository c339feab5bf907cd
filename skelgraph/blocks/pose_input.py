"""What every model does with its input: tensors of any leading dimensions and PyG graphs become [B, J, C]."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data


def takes_poses(forward: Callable[[Any, Tensor], Any]) -> Callable[[Any, Tensor | Data], Any]:
    """Lets a model's ``forward`` on [B, J, C] take [..., J, C] and PyG ``Data`` or ``Batch``, and answers in kind.

    The model has ``skeleton`` and ``in_channels``. A ``Data`` or ``Batch`` of N joints gives [N, C_out]. Outputs may be
    a tensor or a NamedTuple of tensors.

    Raises:
        ValueError: if the joints, channels or the edges of a graph are not those of the model's skeleton.
    """

    @wraps(forward)
    def wrapper(self: Any, x: Tensor | Data) -> Any:
        num_joints = self.skeleton.num_joints
        if isinstance(x, Data):
            check_graph(self, x)
            return reshape(forward(self, x.x.view(-1, num_joints, x.x.size(-1))), (x.x.size(0),))
        if x.dim() < 2 or x.shape[-2:] != (num_joints, self.in_channels):
            raise ValueError(
                f"{type(self).__name__} takes poses of {self.skeleton.name}: x must be "
                f"[..., {num_joints}, {self.in_channels}], not {list(x.shape)}"
            )
        return reshape(forward(self, x.reshape(-1, num_joints, self.in_channels)), x.shape[:-1])

    return wrapper


def reshape(output: Any, shape: tuple[int, ...] | torch.Size) -> Any:
    """Gives each [B, J, C] of an output the leading dimensions ``shape``."""
    if isinstance(output, Tensor):
        return output.reshape(*shape, output.size(-1))
    return type(output)(*(None if part is None else part.reshape(*shape, part.size(-1)) for part in output))


def check_graph(model: nn.Module, data: Data) -> None:
    """Refuses a graph that is not one of the model's skeleton, or a batch of them.

    Raises:
        ValueError: naming what differs.
    """
    skeleton: Any = model.skeleton
    num_graphs, rest = divmod(data.x.size(0), skeleton.num_joints)
    what = f"{type(model).__name__} takes graphs of {skeleton!r}"
    if rest or not num_graphs:
        raise ValueError(f"{what}; {data.x.size(0)} joints are no multiple of {skeleton.num_joints}")
    if data.x.size(-1) != model.in_channels:
        raise ValueError(f"{what} with {model.in_channels} channels, not {data.x.size(-1)}")
    if data.edge_index is None or torch.compiler.is_compiling():
        return
    starts = torch.arange(num_graphs).view(-1, 1) * skeleton.num_joints
    expected = (skeleton.edge_index.unsqueeze(1) + starts).flatten(1)
    if not torch.equal(data.edge_index.cpu(), expected):
        raise ValueError(f"{what}; these have other edges: make them with this skeleton's to_data")
