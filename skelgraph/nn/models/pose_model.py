"""What every model promises, the package's and those of plugins."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args, runtime_checkable

from torch import Tensor, nn

from skelgraph.errors import ContractError
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton

InputKind = Literal["pose", "clip", "views", "images"]
Answers = Literal["all", "middle"]


@runtime_checkable
class PoseModel(Protocol):
    """The contract of a model: an ``nn.Module`` with these attributes, called ``model(x)``.

    ============  ======================  ==========================================================
    input_kind    x                       pose
    ============  ======================  ==========================================================
    ``"pose"``    ``[B, J, C]``           ``[B, J, 3]``
    ``"clip"``    ``[B, T, J, C]``        ``[B, T, J, 3]``; of the middle frame alone ``[B, J, 3]``
    ``"views"``   ``[B, V, T, J, C]``     ``[B, T, J, 3]``
    ``"images"``  ``[B, V, T, 3, H, W]``  ``[B, V, T, J, 3]``
    ============  ======================  ==========================================================

    It gives the pose alone, or a :class:`skelgraph.nn.output.PoseOutput`. :class:`SkeletonModel` is a base class that
    sets the attributes; a model need not derive from it.
    """

    skeleton: Skeleton
    """The skeleton of input and output."""
    in_channels: int
    """C: of a joint; of images, of a pixel. Whoever prepares inputs asks here, and nowhere else."""
    out_channels: int
    num_frames: int
    """T of clips and of views; 1 for poses, and for images, of which there may be any number of frames."""
    input_kind: InputKind
    answers: Answers
    """Which frames of a clip the model gives poses for."""
    training: bool

    def __call__(self, x: Tensor, /) -> Tensor | PoseOutput: ...

    def train(self, mode: bool = True, /) -> Any: ...

    def parameters(self) -> Any: ...


ATTRIBUTES = ("skeleton", "in_channels", "out_channels", "num_frames", "input_kind", "answers")


class SkeletonModel(nn.Module):
    """A base class for models that sets what :class:`PoseModel` asks for.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        num_frames: T; a model of poses becomes one of clips with more than one.
        answers: for which frames of a clip poses are given.

    Attributes:
        input_kind: ``"pose"``, unless a class says otherwise.

    Example::

        class Flat(SkeletonModel):
            def __init__(self, skeleton, in_channels=2, out_channels=3, *, hidden_channels=64):
                super().__init__(skeleton, in_channels, out_channels)
                joints = skeleton.num_joints
                self.input = nn.Linear(joints * in_channels, hidden_channels)
                self.head = nn.Linear(hidden_channels, joints * out_channels)

            def forward(self, x):  # [B, J, C_in]
                return self.head(self.input(x.flatten(1)).relu()).unflatten(1, (-1, self.out_channels))
    """

    input_kind: InputKind = "pose"

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        num_frames: int = 1,
        answers: Answers = "all",
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_frames = num_frames
        self.answers: Answers = answers
        if self.input_kind == "pose" and num_frames > 1:
            self.input_kind = "clip"


def check_model(model: nn.Module) -> Any:
    """The model itself, once it is found to keep the contract of :class:`PoseModel`.

    Raises:
        ContractError: naming every attribute that it has not, or whose value is none of those allowed.
    """
    held = {name: getattr(model, name) for name in ATTRIBUTES if name in dir(model)}
    faults = [f"{name} is missing" for name in ATTRIBUTES if name not in held]
    allowed = {"input_kind": get_args(InputKind), "answers": get_args(Answers)}
    for name, value in held.items():
        if name in allowed and value not in allowed[name]:
            faults.append(f"{name} is {value!r}, not one of {', '.join(allowed[name])}")
        elif name.endswith(("channels", "frames")) and (not isinstance(value, int) or value < 1):
            faults.append(f"{name} is {value!r}, not a number of at least 1")
        elif name == "skeleton" and not isinstance(value, Skeleton):
            faults.append(f"skeleton is of type {type(value).__name__}, not Skeleton")
    if held.get("input_kind") == "pose" and held.get("num_frames", 1) != 1:
        faults.append(f"num_frames is {held['num_frames']}, but input_kind is 'pose': clips are of kind 'clip'")
    if (held.get("input_kind"), held.get("answers")) == ("images", "middle"):
        faults.append("answers is 'middle', but poses of images are those of all frames")
    if faults:
        raise ContractError(
            f"{type(model).__name__} does not keep the contract of a model (skelgraph.nn.models.PoseModel): "
            f"{'; '.join(faults)}; deriving it from skelgraph.nn.models.SkeletonModel sets all of them"
        )
    return model
