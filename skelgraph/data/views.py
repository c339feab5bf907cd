"""Random pinhole cameras that look at a figure from anywhere around it and have all of it in the image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.data.chance import Style
from skelgraph.data.rotations import about_x, about_y, about_z, rotate

VIEW_COLUMNS = 16
_IMAGE_SIZES = ((1000, 1000), (1000, 1002), (1024, 1024), (1080, 1000), (1000, 1080))


class Views(NamedTuple):
    """N figures before N pinhole cameras."""

    joints: Tensor  # [N, J, 3] m, camera frame (x right, y down, z forward), from the camera's centre
    focal: Tensor  # [N] px
    center: Tensor  # [N, 2] principal point, px
    image_size: Tensor  # [N, 2] width and height, px

    def keypoints(self) -> Tensor:
        """Projections [N, J, 2] in px: u = f x / z + c."""
        plane = self.joints[..., :2] / self.joints[..., 2:]
        return plane * self.focal[:, None, None] + self.center[:, None]

    def mirrored(self, which: Tensor, flip_index: Tensor) -> Views:
        """The views with those of ``which`` [N] (bool) seen in a mirror, left joints and right joints traded."""
        flipped = self.joints[:, flip_index] * torch.tensor([-1.0, 1.0, 1.0])
        across = torch.stack([self.image_size[:, 0] - self.center[:, 0], self.center[:, 1]], -1)
        joints = torch.where(which[:, None, None], flipped, self.joints)
        return self._replace(joints=joints, center=torch.where(which[:, None], across, self.center))


def look_at(joints: Tensor, uniform: Tensor) -> Views:
    """Cameras all around, pitched by up to 15 degrees and rolled by up to 3, before joints [N, J, 3] (world, y up).

    f/w is 0.9 to 1.6. The distance d puts the sphere about the joints, of radius r, over a share s of the shorter
    side m of the image, d = r (1 + 2 f / (s m)), so that no joint is behind the camera or outside the image.

    Args:
        joints: m, world axes, [N, J, 3].
        uniform: numbers in [0, 1), [N, VIEW_COLUMNS], that fix the camera.
    """
    style = Style(uniform)
    roll, pitch, yaw = style.degrees(-3, 3), style.degrees(-15, 15), style.degrees(-180, 180)
    facing = about_z(roll) @ about_x(pitch) @ _FACING @ about_y(yaw)
    size = torch.tensor(_IMAGE_SIZES, dtype=joints.dtype)[style.between(0, len(_IMAGE_SIZES)).long()]
    side = size.amin(1)
    focal = size[:, 0] * style.between(0.9, 1.6)
    share = style.between(0.6, 0.9)
    off_center = 0.5 * (0.92 - share)[:, None] * side[:, None] * style.between(-1, 1, 2)

    middle = 0.5 * (joints.amin(1) + joints.amax(1))
    around = rotate(facing, joints - middle[:, None])
    radius = around.norm(dim=-1).amax(1).clamp_min(0.05)
    nearest = 2 * focal * radius / (share * side)  # depth of the sphere's front
    shift = torch.cat([off_center * (nearest / focal)[:, None], (nearest + radius)[:, None]], -1)
    center = size * (0.5 + style.between(-0.02, 0.02, 2))
    return Views(around + shift[:, None], focal, center, size)


_FACING = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # y up to y down, face to face with the camera
