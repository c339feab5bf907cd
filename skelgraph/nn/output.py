"""What models give: a pose alone, or a pose with more beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from skelgraph.errors import ContractError


class PoseOutput(NamedTuple):
    """All that a model may give; what it does not give is None.

    ``...`` are the leading dimensions of the model's input, with the frames that it answers.
    """

    pose: Tensor
    """``[..., J, C_out]``, for 3D poses in m."""
    error: Tensor | None = None
    """``[..., J, C_out]``, the predicted absolute error of each coordinate, in the unit of ``pose``."""
    poses: Tensor | None = None
    """``[L, ..., J, C_out]``, the pose after each of L layers: with them losses supervise every layer."""
    errors: Tensor | None = None
    """``[L, ..., J, C_out]``, the predicted error after each layer."""
    keypoints: Tensor | None = None
    """``[..., J, 2]``, the keypoints in the image."""
    features: Tensor | None = None
    """``[..., J, C]``, what the last layer leaves for further use."""


OF_LAYERS = frozenset({"poses", "errors"})
"""The fields of :class:`PoseOutput` with one more dimension in front, the layers."""


def as_output(output: Tensor | PoseOutput) -> PoseOutput:
    """What a model gave as a :class:`PoseOutput`, be it a pose alone.

    Raises:
        ContractError: if it is neither.
    """
    if isinstance(output, PoseOutput):
        return output
    if not isinstance(output, Tensor):
        raise ContractError(f"a model gives a Tensor or skelgraph.nn.output.PoseOutput, found {type(output).__name__}")
    return PoseOutput(output)


def map_output(function: Callable[[Tensor], Tensor], output: PoseOutput) -> PoseOutput:
    """The output with ``function`` applied to each of its tensors."""
    return PoseOutput(*(None if part is None else function(part) for part in output))  # type: ignore[arg-type]
