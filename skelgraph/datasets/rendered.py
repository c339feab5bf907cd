"""Rendered pictures of people who move as recorded, from several calibrated cameras at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from skelgraph.datasets.cameras.camera_sets import serials_of_split
from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.pose_dataset import PoseDataset
from skelgraph.datasets.rendering.capsules import Capsules, render
from skelgraph.datasets.rendering.figure import GROUP, RADIUS, backgrounds, clothes, limb_ends
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import SESSIONS, human36m_cameras
from skelgraph.geometry.lens import project
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on

_TEST_SESSIONS = ("S8", "S10")
_SIZES = (64, 224)
_NEAREST_M = 1.0
_MARGIN = 0.2  # of the picture's side, around the joints: limbs have radii, a head is higher than its joint
_JITTER = 0.05  # of the crop's size and place in training


class Pictures(NamedTuple):
    """``N`` clips of ``T`` frames by ``V`` cameras: pictures in, 3D out, as contiguous tensors.

    A point ``p`` in a camera's frame, m, has its image at ``focal * p[:2] / p[2] + center``.
    """

    images: Tensor  #: ``[N, V, T, 3, H, W]`` uint8
    keypoints: Tensor  #: ``[N, V, T, J, 2]`` px of the picture
    target: Tensor  #: ``[N, V, T, J, 3]`` m, in each camera's own frame, relative to ``root``
    root: Tensor  #: ``[N, V, T, 3]`` m, the mean of the skeleton's ``origin`` joints in each camera's frame
    focal: Tensor  #: ``[N, V, 2]`` px of the picture
    center: Tensor  #: ``[N, V, 2]`` px, the principal point, which may lie outside the picture
    action: Tensor  #: ``[N]`` index into the dataset's ``actions``

    def to(self, device: torch.device | str | None) -> Pictures:
        """The same pictures on ``device`` (unchanged when it is None)."""
        return self if device is None else Pictures(*(field.to(device) for field in self))

    def take(self, index: Tensor | slice | int) -> Pictures:
        """The clips at ``index`` of the first dimension."""
        return Pictures(*(field[index] for field in self))

    def inputs(self, channels: int) -> Tensor:
        """What a model of images takes: ``[N, V, T, 3, H, W]`` uint8.

        Raises:
            ValueError: if it takes another number of ``channels``: pictures are red, green and blue.
        """
        if channels != 3:
            raise ValueError(f"pictures have 3 channels; the model takes {channels}: MSTR takes pictures")
        return self.images


class Rendered(PoseDataset):
    """Small pictures of recorded motion: bodies of shaded capsules before cameras of Human3.6M.

    Each clip has a body and its motion of :class:`MotionCapture`, turned about the vertical by any angle, clothes, a
    light, and one session's cameras, each of which has a background of its own. A picture is the square around the
    person in the camera's image, the same in all frames of a clip, without the lens's distortion. The test has other
    subjects, hues and sessions than the training, and its pictures never change.

    Args:
        skeleton: its joints are found by name, as in :class:`MotionCapture`.
        split: "train" or "test".
        seed: of everything random.
        file: npz file under ``$SKELGRAPH_DATA``, else under ``data/``.
        num_poses: clips in an epoch of the training split.
        num_test_poses: clips in the test split, evenly spaced over its frames.
        num_frames: T.
        frame_step: frames of the file, at its own rate, from one of a clip to the next.
        size: H and W in px, 64 to 224.
        cameras: serial numbers, in the order of the views; default all four.
        held_out: serial numbers that only the test sees, and all that it sees; () uses ``cameras`` in both splits.
        area: people stand within this many metres of the middle of the capture space, in x and in y.
        redraw: epochs from one drawing of the training pictures to the next.

    Attributes:
        actions: as of :class:`MotionCapture`.
        views: serial numbers of this split's V cameras.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for an option out of range, an unknown camera, none left, or a joint that the file lacks.
    """

    input_kind = "images"

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        file: str = "cmu_mocap.npz",
        num_poses: int = 1000,
        num_test_poses: int = 200,
        num_frames: int = 2,
        frame_step: int = 6,
        size: int = 64,
        cameras: Sequence[str] | None = None,
        held_out: Sequence[str] = (),
        area: float = 0.5,
        redraw: int = 1,
    ) -> None:
        super().__init__(skeleton, split, seed, num_frames=num_frames)
        if redraw < 1:
            raise ValueError(f"redraw must be at least 1, found {redraw}")
        if not _SIZES[0] <= size <= _SIZES[1]:
            raise ValueError(f"size must be from {_SIZES[0]} to {_SIZES[1]} px, found {size}")
        if not 0 <= area <= 1.5:
            raise ValueError(f"area must be in [0, 1.5] m, so that no camera is too near, found {area}")
        self.size, self.area, self.redraw = size, area, redraw
        self.views = serials_of_split(split, cameras, held_out)
        sessions = [name for name in sorted(SESSIONS) if (name in _TEST_SESSIONS) == (split == "test")]
        self._sessions = human36m_cameras(sessions, self.views).to(torch.float32)
        self._motion = MotionCapture(
            skeleton, split, seed, file=file, held_out=None, frame_step=frame_step, num_frames=num_frames
        )
        self.actions = self._motion.actions
        length = self.size_of_split(num_poses=num_poses, num_test_poses=num_test_poses)
        self._length = length if split == "train" else min(length, len(self._motion))

    def __len__(self) -> int:
        return self._length

    def epoch_drawn(self, epoch: int) -> int:
        """Epochs that share their pictures have the number of their drawing."""
        return super().epoch_drawn(epoch // self.redraw)

    def draw(self, epoch: int, indices: Tensor | slice | int | None = None) -> Pictures:
        """As of every dataset, but the last drawing is kept: rendering is slow."""
        return super().draw(epoch, slice(None) if indices is None else indices)

    def make(self, epoch: int) -> Pictures:
        """All clips of an epoch."""
        random = self.generator(epoch)
        index = self._clips(random)
        joints = self._motion.clips(index, random)  # [N, T, K, 3], world
        joints[..., :2] += self.area * (2 * torch.rand(len(joints), 1, 1, 2, generator=random) - 1)
        cameras = self._sessions[torch.randint(len(self._sessions), (len(joints),), generator=random)]  # [N, V]
        seen = cameras.to_camera(joints[:, None, :, self._motion.order])  # [N, V, T, J, 3]
        focal, center = self._crops(seen, cameras, random)
        target = center_on(seen, self.skeleton.origin)
        return Pictures(
            images=self._images(joints, cameras, focal, center, random),
            keypoints=_image(seen, focal, center),
            target=target,
            root=(seen - target)[..., 0, :],
            focal=focal,
            center=center,
            action=self._motion.action[index],
        )

    def _clips(self, random: torch.Generator) -> Tensor:
        """Which poses of the recording are the middles of the clips, ``[N]``."""
        if self.split == "train":
            return torch.randint(len(self._motion), (len(self),), generator=random)
        return torch.linspace(0, len(self._motion) - 1, len(self)).round().long()

    def _crops(self, seen: Tensor, cameras: Camera, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Focal lengths and principal points ``[N, V, 2]``, px, of the squares about joints ``[N, V, T, J, 3]``."""
        if (seen[..., 2] < _NEAREST_M).any():
            raise ValueError("somebody comes too near a camera: take a smaller area, num_frames or frame_step")
        keypoints = _image(seen, cameras.f, cameras.c).flatten(2, 3)
        low, high = keypoints.amin(2), keypoints.amax(2)
        side = (1 + _MARGIN) * (high - low).amax(-1, keepdim=True)
        corner = (low + high - side) / 2
        if self.split == "train":
            jitter = 2 * torch.rand(*side.shape[:2], 3, generator=random) - 1
            corner = corner + _JITTER * side * jitter[..., :2]
            side = side * (1 + _JITTER * jitter[..., 2:])
        return cameras.f * self.size / side, (cameras.c - corner) * self.size / side

    def _images(
        self, joints: Tensor, cameras: Camera, focal: Tensor, center: Tensor, random: torch.Generator
    ) -> Tensor:
        """Pictures ``[N, V, T, 3, H, W]`` of bodies ``[N, T, K, 3]`` in the world."""
        count, frames, views = *joints.shape[:2], len(self.views)
        color = clothes(count, self.split, random)[:, GROUP]  # [N, limbs, 3]
        girth = 0.85 + 0.3 * torch.rand(count, 1, generator=random)
        light = functional.normalize(torch.randn(count, 3, generator=random) + torch.tensor([0.0, 0.0, 1.0]), dim=1)
        behind = backgrounds(count * views, self.size, self.split, random)
        ends = limb_ends(joints, self._motion.joints)  # [N, T, 2, limbs, 3]
        ends = cameras.to_camera(ends.flatten(2, 3).unsqueeze(1)).unflatten(3, (2, -1))  # [N, V, T, 2, limbs, 3]
        light = (cameras.R @ light[:, None, :, None]).squeeze(-1)  # [N, V, 3]

        def each(of_clip: Tensor) -> Tensor:
            """[N or N * V, ...] once for each picture."""
            return of_clip.repeat_interleave(count * views * frames // len(of_clip), 0)

        start, end = ends.flatten(0, 2).unbind(1)
        bodies = Capsules(start, end, each(girth * RADIUS), each(color))
        focal, center, light = (each(of_view.flatten(0, 1)) for of_view in (focal, center, light))
        return render(bodies, focal, center, light, each(behind)).view(count, views, frames, 3, self.size, self.size)


def _image(points: Tensor, focal: Tensor, center: Tensor) -> Tensor:
    """Where points ``[N, V, T, J, 3]`` of the camera frame are seen, ``[N, V, T, J, 2]`` px, without distortion."""
    # f x / z and not f (x / z): pictures stay the same to the last bit, wherever they were drawn before
    scaled = torch.cat([focal[:, :, None, None] * points[..., :2], points[..., 2:]], -1)
    return project(scaled, focal.new_ones(()), center[:, :, None, None])
