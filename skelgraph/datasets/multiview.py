"""People in motion, seen by several calibrated cameras at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from skelgraph.datasets.cameras.camera_sets import cameras_around, miscalibrated
from skelgraph.datasets.faults.multi_view import Faults, Range, detect_clips
from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.people.body_shape import SHAPE_COLUMNS
from skelgraph.datasets.people.human import Human
from skelgraph.datasets.people.motions import STYLE_COLUMNS
from skelgraph.datasets.pose_dataset import PoseDataset, counts_by_kind, kind_of_each
from skelgraph.datasets.randomness import shares
from skelgraph.geometry.axes import z_up
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import SERIALS, SESSIONS, human36m_cameras
from skelgraph.geometry.rotations import about_x, about_y, about_z, rotate
from skelgraph.nn.inputs import multiview_input
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on

_Z_UP = torch.from_numpy(z_up("y")).float()  # generated people are y up
_AREA_M = 1.0
_NEAREST_M = 0.5
_PEOPLE = {"train": 16384, "test": 512}


class Clips(NamedTuple):
    """``N`` clips of ``T`` frames of one skeleton with ``J`` joints, seen by ``V`` cameras at once.

    A missing joint has confidence 0 and keypoints 0.
    """

    keypoints: Tensor  #: ``[N, V, T, J, 2]`` px, as filmed
    confidence: Tensor  #: ``[N, V, T, J]`` in [0, 1], 0 = missing
    cameras: Camera  #: ``[N, V]``
    target: Tensor  #: ``[N, T, J, 3]`` m: the world's (z up), or the first camera's axes and relative to ``origin``
    action: Tensor  #: ``[N]`` index into the dataset's ``actions``
    calibrated: bool = True  #: whether the target is in the world

    def to(self, device: torch.device | str | None) -> Clips:
        """The same clips on ``device`` (unchanged when it is None)."""
        return self if device is None else self._each(lambda field: field.to(device))

    def take(self, index: Tensor | slice | int) -> Clips:
        """The clips at ``index``."""
        return self._each(lambda field: field[index])

    def _each(self, change: Callable[[Any], Any]) -> Clips:
        return self._replace(**{name: change(field) for name, field in zip(self._fields[:-1], self[:-1], strict=True)})

    def inputs(self, channels: int) -> Tensor:
        """What a model of so many input channels takes, see :func:`multiview_input`: ``[N, V, T, J, channels]``."""
        return multiview_input(self.cameras, self.keypoints, self.confidence, channels)


class MultiView(PoseDataset):
    """People in motion before several calibrated cameras.

    Recorded clips of :class:`MotionCapture` (test subjects are in no training clip), and generated people of
    :class:`Synthetic` who move. They stand within a metre of the middle of the room, turned any way, before the cameras
    of one of Human3.6M's sessions, or before cameras anywhere around them. What lies outside an image is missing.

    Args:
        skeleton: its joints are found by name.
        split: "train" or "test".
        seed: of everything random.
        file: see :class:`MotionCapture`.
        num_clips: in an epoch of the training split.
        num_test_clips: in the test split.
        num_frames: T.
        recorded: share of recorded clips; the rest are generated people.
        around: share of the clips with cameras anywhere around; the rest have those of Human3.6M.
        cameras: serial numbers of the Human3.6M cameras; default all four.
        fps: frames a second of generated people, slowest and fastest; recordings have theirs, 30.
        noise_px, outliers, outlier_px, missing, missing_views, lasting, camera_deg: see :class:`Faults`.
        lean_deg: standard deviation of a lean of the world, degrees, in training: calibrations are not level.
        calibrated: whether the target is in the world; else it has the first camera's axes and is relative to
            ``origin``, for models that are told nothing of the cameras.

    Attributes:
        actions: recorded, generated: those of which there are any.

    Raises:
        FileNotFoundError: if recorded clips are wanted and the file is not there.
        ValueError: for an option out of range.
    """

    input_kind = "views"

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        file: str = "cmu_mocap.npz",
        num_clips: int = 2000,
        num_test_clips: int = 400,
        num_frames: int = 9,
        recorded: float = 1.0,
        around: float = 0.0,
        cameras: list[str] | None = None,
        fps: Range = (25.0, 60.0),
        noise_px: Range = (0.0, 0.0),
        outliers: Range = (0.0, 0.0),
        outlier_px: Range = (60.0, 60.0),
        missing: Range = (0.0, 0.0),
        missing_views: tuple[int, int] = (0, 0),
        lasting: float = 0.0,
        camera_deg: float = 0.0,
        lean_deg: float = 5.0,
        calibrated: bool = True,
    ) -> None:
        super().__init__(skeleton, split, seed, num_frames=num_frames)
        if not (0 <= recorded <= 1 and 0 <= around <= 1):
            raise ValueError(f"recorded and around are shares in [0, 1], found {recorded} and {around}")
        self.fps, self.around, self.calibrated = fps, around, calibrated
        self.faults = Faults(noise_px, outliers, outlier_px, missing, missing_views, lasting, camera_deg)
        self._sessions = human36m_cameras(sorted(SESSIONS), cameras or SERIALS).to(torch.float32)
        if missing_views[1] >= self._sessions.shape[1]:
            raise ValueError(f"missing_views must leave one of {self._sessions.shape[1]} views, found {missing_views}")
        total = self.size_of_split(num_clips=num_clips, num_test_clips=num_test_clips)
        self._counts = counts_by_kind(total, "generated", recorded=recorded)
        self.actions = tuple(self._counts)
        self._lean = lean_deg if split == "train" else 0.0
        if "recorded" in self._counts:
            self._motion = MotionCapture(skeleton, split, seed, file=file, num_frames=num_frames, lean_deg=0.0)
        if "generated" in self._counts:
            self._human = Human(skeleton)
            self._people = torch.rand(_PEOPLE[split], SHAPE_COLUMNS, generator=self.generator("people"))

    def __len__(self) -> int:
        return sum(self._counts.values())

    def make(self, epoch: int) -> Clips:
        """All clips of an epoch."""
        make = {"recorded": self._recorded, "generated": self._generated}
        joints = torch.cat([make[kind](n, self.generator(epoch, kind)) for kind, n in self._counts.items()])
        random = self.generator(epoch, "cameras")
        joints[..., :2] += _AREA_M * (2 * torch.rand(len(joints), 1, 1, 2, generator=random) - 1)
        cameras = self._cameras(joints, random)
        keypoints, visible = film(cameras, joints)
        keypoints, confidence = detect_clips(keypoints, visible, self.skeleton, self.faults, random)
        cameras = miscalibrated(cameras, self.faults.camera_deg, random) if self.faults.camera_deg else cameras
        target, cameras = self._in_axes(joints, cameras, random)
        action = kind_of_each(self._counts)
        return Clips(keypoints, confidence, cameras, target, action, self.calibrated)

    def _recorded(self, count: int, random: torch.Generator) -> Tensor:
        index = torch.randint(len(self._motion), (count,), generator=random)
        return self._motion.clips(index, random)[:, :, self._motion.order]

    def _generated(self, count: int, random: torch.Generator) -> Tensor:
        actions = self._human.actions
        sizes = shares(count, len(actions))
        return torch.cat([self._moving(a, n, random) for a, n in zip(actions, sizes, strict=True)])

    def _moving(self, action: str, count: int, random: torch.Generator) -> Tensor:
        """Clips [N, T, J, 3] of generated people, z up, the floor at the lowest joint of the clip."""
        person = torch.randint(len(self._people), (count,), generator=random)
        style = torch.rand(count, STYLE_COLUMNS, generator=random)
        slow, fast = self._human.tempo(action)
        start, pace, rate, turn = torch.rand(4, count, 1, generator=random)
        step = (slow + (fast - slow) * pace) / (self.fps[0] + (self.fps[1] - self.fps[0]) * rate)
        phase = (2 * start + step * torch.arange(self.num_frames)).flatten()
        shape, style = (t.repeat_interleave(self.num_frames, 0) for t in (self._people[person], style))
        joints = rotate(_Z_UP, self._human.joints(action, phase, shape, style)).unflatten(0, (count, self.num_frames))
        middle = joints[:, self.num_frames // 2].mean(1, keepdim=True) * torch.tensor([1.0, 1.0, 0.0])
        middle[..., 2] = joints[..., 2].amin((1, 2)).unsqueeze(1)
        return rotate(about_z(2 * torch.pi * turn[:, 0])[:, None], joints - middle.unsqueeze(1))

    def _cameras(self, joints: Tensor, random: torch.Generator) -> Camera:
        """Cameras [N, V] for clips [N, T, J, 3], in any order."""
        count, (sessions, views) = len(joints), self._sessions.shape
        session = torch.randint(sessions, (count,), generator=random)
        order = torch.rand(count, views, generator=random).argsort(1)
        real = self._sessions[session[:, None], order]
        if not self.around:
            return real
        anywhere = cameras_around(joints.mean((1, 2)), views, random)
        chosen = torch.rand(count, 1, generator=random) < self.around
        return Camera.where(chosen, anywhere, real)

    def _in_axes(self, joints: Tensor, cameras: Camera, random: torch.Generator) -> tuple[Tensor, Camera]:
        """Targets and cameras in the axes that the answer is expected in."""
        if not self.calibrated:
            first = cameras[:, 0].to_camera(joints)
            return center_on(first, self.skeleton.origin), cameras
        if self.split == "test":
            return joints, cameras
        aside, ahead = (self._lean * torch.pi / 180 * torch.randn(2, len(joints), generator=random)).unbind()
        turn = about_x(aside) @ about_y(ahead) @ about_z(2 * torch.pi * torch.rand(len(joints), generator=random))
        return rotate(turn[:, None], joints), cameras.in_turned_world(turn.unsqueeze(1))


def film(cameras: Camera, joints: Tensor) -> tuple[Tensor, Tensor]:
    """Keypoints [N, V, T, J, 2] px of joints [N, T, J, 3] (m, world) in cameras [N, V], and which are in the image and
    in front of the camera, bool [N, V, T, J]."""
    points = cameras.to_camera(joints.unsqueeze(1))
    keypoints = cameras.project(points)
    return keypoints, cameras.contains(keypoints) & (points[..., 2] > _NEAREST_M)
