"""A loss and a metric."""

from torch import Tensor

from skelgraph.nn.metrics import Metres


def farthest(pred: Tensor, target: Tensor) -> Tensor:
    """The largest squared error of a coordinate, a loss."""
    return (pred - target).square().amax()


def worst_joint(pred: Tensor, target: Tensor) -> Metres:
    """The mean error of the joint whose mean error is the largest, a metric."""
    return (pred - target).norm(dim=-1).mean(0).amax()
