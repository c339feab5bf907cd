"""The lifter that skelgraph ships."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from skelgraph.nn.blocks.large_stage import LargeStage
from skelgraph.nn.blocks.perspective_crop import perspective_crop, rotate, spread_out
from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton

_MIRROR = (-1.0, 1.0, 1.0)
_WHERE = 5
_ERROR_SCALE = 0.1  # m


class Trunk(nn.Sequential):
    """A linear map, residual stages, a linear map: [B, C_in] -> [B, C_out]."""

    def __init__(self, in_channels: int, hidden_channels: int, num_layers: int, out_channels: int) -> None:
        stages = (LargeStage(hidden_channels) for _ in range(num_layers))
        head = nn.Linear(hidden_channels, out_channels)
        super().__init__(nn.Linear(in_channels, hidden_channels), *stages, head)


class PartLifter(SkeletonModel):
    r"""Large SimpleBaseline behind a perspective crop, with an error head, and trunks of their own for small parts.

    The residual linear stages of H3WB's Large SimpleBaseline (Zhu et al. 2023) see keypoints as a camera turned to the
    person would (perspective crop layers, Yu et al. 2021), beside the direction, the size in the image and the focal
    length where it is known. A second output per coordinate foretells the error (JointFormer, Lutz et al. 2022). Small
    parts, such as hands and face, are lifted by a trunk of their own from their own crop and the pose of the rest,
    relative to the joint they hang on; one trunk serves a part and its mirror image.

    .. math:: \hat y = R^\top f(q, c, w), \quad \hat y_p = \hat y_{a(p)} + R^\top f_p(q_p, c_p, w_p, R \hat y)

    Args:
        skeleton: the skeleton of input and output.
        in_channels: 2; 3 with the confidence; 4 with f/w too, 0 where it is not known.
        out_channels: 3.
        hidden_channels: width of the main trunk.
        num_layers: its residual stages of two linear maps.
        small_parts: limbs of the skeleton to lift by trunks of their own.
        small_channels: width of their trunks.
        small_layers: their residual stages.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** pose and error [..., J, 3], or [N, 3], m

    Raises:
        ValueError: for a part that the skeleton has no limb of, or that hangs on no joint of the rest, or
            ``out_channels`` other than 3.
    """

    order: Tensor
    rest_index: Tensor
    flip_rest: Tensor
    mirror: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden_channels: int = 512,
        num_layers: int = 3,
        small_parts: tuple[str, ...] = (),
        small_channels: int = 256,
        small_layers: int = 2,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        if out_channels != 3:
            raise ValueError(f"PartLifter turns poses in space: out_channels must be 3, found {out_channels}")
        unknown = [part for part in small_parts if part not in skeleton.limbs]
        if unknown:
            raise ValueError(f"no limbs {', '.join(unknown)} in {skeleton.name}; it has {', '.join(skeleton.limbs)}")
        self.parts = [list(skeleton.limbs[part]) for part in small_parts]
        inside = {joint for part in self.parts for joint in part}
        self.rest = [joint for joint in range(skeleton.num_joints) if joint not in inside]
        self.anchors = [self._anchor(part) for part in self.parts]
        self.twins = self._twins()
        count = len(self.rest)
        self.body = Trunk(3 * count + _WHERE, hidden_channels, num_layers, 6 * count)
        self.small = nn.ModuleDict()
        for number, part in enumerate(self.parts):
            if self.twins[number] == number:
                channels = 3 * len(part) + 3 + 3 * count
                self.small[str(number)] = Trunk(channels, small_channels, small_layers, 6 * len(part))
        order = torch.tensor([*self.rest, *(joint for part in self.parts for joint in part)]).argsort()
        self._keep("order", order)
        flip = skeleton.flip_index[self.rest].tolist()
        flip = [self.rest.index(joint) for joint in flip] if set(flip) == set(self.rest) else []
        self._keep("flip_rest", torch.tensor(flip, dtype=torch.long))
        self._keep("rest_index", torch.tensor(self.rest))
        for number, part in enumerate(self.parts):
            self._keep(f"part_index_{number}", torch.tensor(part))
        self._keep("mirror", torch.tensor(_MIRROR))

    def _keep(self, name: str, tensor: Tensor) -> None:
        """A buffer that is not stored: an index by a list would be copied to the device in every forward."""
        self.register_buffer(name, tensor, persistent=False)

    def _anchor(self, part: list[int]) -> int:
        """The joint of the rest that a part hangs on, by its number there."""
        above = {self.skeleton.parents[joint] for joint in part} - set(part)
        if len(above) != 1 or not above <= set(self.rest):
            names = ", ".join(self.skeleton.joints[joint] for joint in part[:3])
            raise ValueError(f"{self.skeleton.name}: the part {names}, ... hangs on no single joint of the rest")
        return self.rest.index(above.pop())

    def _twins(self) -> list[int]:
        """For each part the earlier one whose mirror image it is, or itself; the rest must mirror within itself too."""
        if set(self.skeleton.flip_index[self.rest].tolist()) != set(self.rest):
            return list(range(len(self.parts)))
        mirrored = [self.skeleton.flip_index[part].tolist() for part in self.parts]
        return [next((j for j in range(i) if self.parts[j] == mirrored[i]), i) for i in range(len(self.parts))]

    @takes_poses
    def forward(self, x: Tensor) -> PoseOutput:
        """See the class."""
        with torch.autocast(x.device.type, enabled=False):  # in bfloat16 rotations would be off by centimetres
            crop = perspective_crop(x)
        points, seen = (part.index_select(1, self.rest_index) for part in (crop.points, crop.confidence))
        pose, error = _halves(self.body(torch.cat([points.flatten(1), seen.flatten(1), crop.where], 1)))
        poses, errors = [pose], [error]
        for number, anchor in enumerate(self.anchors):
            index = self.get_buffer(f"part_index_{number}")
            points, seen = (part.index_select(1, index) for part in (crop.points, crop.confidence))
            offset, more = self._small(number, points, seen, pose)
            poses.append(pose[:, anchor : anchor + 1] + offset)
            errors.append(error[:, anchor : anchor + 1].detach() + more)
        pose, error = (torch.cat(found, 1).index_select(1, self.order) for found in (poses, errors))  # [B, J, 3]
        return PoseOutput(rotate(pose.to(crop.rotation), crop.rotation), _ERROR_SCALE * softplus(error))

    def _small(self, number: int, points: Tensor, confidence: Tensor, body: Tensor) -> tuple[Tensor, Tensor]:
        """A part's joints [B, P, 3] from the one it hangs on, and the logits of their error beyond that one's."""
        twin = self.twins[number]
        mirror = self.mirror.to(points.dtype)
        if twin != number:
            points, body = points * mirror[:2], body.index_select(1, self.flip_rest) * mirror
        points, middle, spread = spread_out(points, (confidence > 0).to(points))
        where = torch.cat([middle, spread.log().unsqueeze(1)], 1)  # [B, 3]
        h = torch.cat([points.flatten(1), confidence.flatten(1), where, body.flatten(1)], 1)
        offset, error = _halves(self.small[str(twin)](h))
        return (offset * mirror if twin != number else offset), error


def _halves(h: Tensor) -> tuple[Tensor, Tensor]:
    """[B, 2 * J * 3] -> twice [B, J, 3]."""
    first, second = h.chunk(2, 1)
    return first.unflatten(1, (-1, 3)), second.unflatten(1, (-1, 3))
