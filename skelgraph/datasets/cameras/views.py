"""Random pinhole cameras that look at a figure from anywhere around it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.datasets.randomness import Style
from skelgraph.geometry.axes import y_down
from skelgraph.geometry.lens import project
from skelgraph.geometry.rotations import about_x, about_y, about_z, rotate

VIEW_COLUMNS = 16
_ANY_IMAGE_SIZES = ((1920, 1080), (1080, 1920), (1280, 720), (640, 480), (480, 640), (1000, 1000))
_IMAGE_SIZES = ((1000, 1000), (1000, 1002), (1024, 1024), (1080, 1000), (1000, 1080))


class Views(NamedTuple):
    """N figures before N pinhole cameras."""

    joints: Tensor  # [N, J, 3] m, camera frame (x right, y down, z forward), from the camera's centre
    focal: Tensor  # [N] px
    center: Tensor  # [N, 2] principal point, px
    image_size: Tensor  # [N, 2] width and height, px

    def keypoints(self) -> Tensor:
        """Projections [N, J, 2] in px: u = f x / z + c."""
        return project(self.joints, self.focal[:, None, None], self.center[:, None])

    def mirrored(self, which: Tensor, flip_index: Tensor) -> Views:
        """The views with those of ``which`` [N] (bool) seen in a mirror, left and right joints swapped."""
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
    facing = about_z(roll) @ about_x(pitch) @ FACING @ about_y(yaw)
    size = torch.tensor(_IMAGE_SIZES, dtype=joints.dtype)[style.between(0, len(_IMAGE_SIZES)).long()]
    side = size.amin(1)
    focal = size[:, 0] * style.between(0.9, 1.6)
    share = style.between(0.6, 0.9)
    off_center = 0.5 * (0.92 - share)[:, None] * side[:, None] * style.between(-1, 1, 2)

    center = size * (0.5 + style.between(-0.02, 0.02, 2))
    return stand_before(joints, facing, focal, share, off_center, center, size)


def look_from_anywhere(joints: Tensor, uniform: Tensor) -> Views:
    """As :func:`look_at`, with the cameras that people have: phones held any way, webcams, wide and long lenses.

    f/w is 0.5 to 2.4, pitch within 30 degrees, roll within 8; the sphere about the joints is over 0.25 to 1.5 of the
    shorter side, anywhere in the image, and a part of the figure may be outside.
    """
    style = Style(uniform)
    roll, pitch, yaw = style.degrees(-8, 8), style.degrees(-30, 30), style.degrees(-180, 180)
    facing = about_z(roll) @ about_x(pitch) @ FACING @ about_y(yaw)
    size = torch.tensor(_ANY_IMAGE_SIZES, dtype=joints.dtype)[style.between(0, len(_ANY_IMAGE_SIZES)).long()]
    side = size.amin(1)
    focal = size[:, 0] * 0.5 * (2.4 / 0.5) ** style.between(0, 1)
    share = 0.25 * (1.5 / 0.25) ** style.between(0, 1)
    room = (size - 0.75 * (share * side)[:, None]).clamp_min(0) / 2  # a standing person is narrower than the sphere
    off_center = room * style.between(-1, 1, 2)
    center = size * (0.5 + style.between(-0.01, 0.01, 2))
    return stand_before(joints, facing, focal, share, off_center, center, size)


def stand_before(
    joints: Tensor, facing: Tensor, focal: Tensor, share: Tensor, off_center: Tensor, center: Tensor, size: Tensor
) -> Views:
    """The figures turned by ``facing``, so far away that the sphere about them is over a share of the shorter side."""
    middle = 0.5 * (joints.amin(1) + joints.amax(1))
    around = rotate(facing, joints - middle[:, None])
    radius = around.norm(dim=-1).amax(1).clamp_min(0.05)
    nearest = 2 * focal * radius / (share * size.amin(1))  # depth of the sphere's front
    shift = torch.cat([off_center * (nearest / focal)[:, None], (nearest + radius)[:, None]], -1)
    return Views(around + shift[:, None], focal, center, size)


FACING = torch.from_numpy(y_down("y")).float()  # y up to y down, face to face with the camera
