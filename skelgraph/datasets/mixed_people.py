"""People of all kinds before cameras of all kinds: what lifters for anybody's keypoints are trained on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from skelgraph.datasets.cameras.views import VIEW_COLUMNS, look_from_anywhere
from skelgraph.datasets.faults.single_view import detect_roughly
from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.people.body_shape import SHAPE_COLUMNS
from skelgraph.datasets.people.gestures import relaxed
from skelgraph.datasets.people.human import Human
from skelgraph.datasets.people.joint_definitions import DEFINITION_COLUMNS, redefine
from skelgraph.datasets.people.kinematics import palm
from skelgraph.datasets.people.motions import STYLE_COLUMNS
from skelgraph.datasets.people.retarget import retarget
from skelgraph.datasets.pose_dataset import PoseDataset, counts_by_kind, kind_of_each
from skelgraph.datasets.randomness import Style, shares
from skelgraph.datasets.samples import Poses
from skelgraph.geometry.axes import z_up
from skelgraph.geometry.rotations import about_y, rotate
from skelgraph.skeleton import Skeleton, builtin
from skelgraph.skeleton.bones import center_on
from skelgraph.skeleton.builtin import HUMAN36M

_NUM_PEOPLE = {"train": 16384, "test": 512}
_LEAN_DEG = 6.0
_Y_UP = torch.from_numpy(z_up("y")).float().mT  # recordings are z up, generated people y up


class MixedPeople(PoseDataset):
    """Recorded people, recorded motion on generated bodies, and generated people, before any camera.

    - *recorded*: bodies of :class:`MotionCapture`, most of them with bones and stature varied; for skeletons whose
      joints the file has.
    - *retargeted*: its motion on bodies of :class:`Synthetic`, see :func:`retarget`; hands and face are generated.
    - *generated*: people of :class:`Synthetic`, who also sit, kneel and lie.

    Half of the generated bodies have the joints that come of converting other skeletons' (``via``), whose neck, say, is
    the nose.

    In training some bodies have their joints defined elsewhere (:func:`redefine`), and keypoints have the faults of
    :func:`detect_roughly`; the focal length is told for half of the poses. Cameras are those of
    :func:`look_from_anywhere`. The test has the test subjects as recorded and people of other shapes, exact keypoints
    and no focal length.

    Args:
        skeleton: its joints are found by name.
        split: "train" or "test".
        seed: of everything random.
        file: see :class:`MotionCapture`.
        num_poses: in an epoch of the training split.
        num_test_poses: in the test split.
        recorded: share of recorded bodies.
        retargeted: share of recorded motion on generated bodies; the rest are generated people.
        redefined: how probably a training body's joints are defined elsewhere.
        faulty: share of the training poses with noise, and of those with missing joints.
        noise: its largest standard deviation, over the figure's diagonal in the image.
        via: names of skeletons that keypoints are converted from.
        exclude: subjects of the file to leave out.

    Attributes:
        actions: recorded, retargeted, generated: those of which there are any.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: for an option out of range, or a skeleton that is no human's or, with ``recorded``, not the file's.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        file: str = "cmu_mocap.npz",
        num_poses: int = 40_000,
        num_test_poses: int = 3_000,
        recorded: float = 0.5,
        retargeted: float = 0.2,
        redefined: float = 0.6,
        faulty: float = 0.5,
        noise: float = 0.04,
        via: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> None:
        super().__init__(skeleton, split, seed)
        if min(recorded, retargeted, redefined, faulty, noise) < 0 or max(recorded + retargeted, redefined, faulty) > 1:
            raise ValueError(
                "recorded, retargeted, redefined and faulty are shares, the first two at most 1 together; found "
                f"{recorded}, {retargeted}, {redefined} and {faulty}"
            )
        self.faulty, self.noise, self.redefined = faulty, noise, redefined if split == "train" else 0.0
        total = self.size_of_split(num_poses=num_poses, num_test_poses=num_test_poses)
        self._counts = counts_by_kind(total, "generated", recorded=recorded, retargeted=retargeted)
        self.actions = tuple(self._counts)
        others = [Human(skeleton, builtin.get(name)) for name in via]
        self._humans = [Human(skeleton)] * max(1, len(others)) + others
        self._people = torch.rand(_NUM_PEOPLE[split], SHAPE_COLUMNS, generator=self.generator("people"))
        recording = partial(MotionCapture, split=split, seed=seed, file=file, exclude=exclude, lean_deg=_LEAN_DEG)
        if recorded:
            self._recording = recording(skeleton, bone_scale=0.12, scale=0.08, as_recorded=0.3)
        if retargeted:
            self._motion = recording(HUMAN36M, bone_scale=0.0, scale=0.0)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def make(self, epoch: int) -> Poses:
        """All poses of an epoch."""
        make = {"recorded": self._recorded, "retargeted": self._retargeted, "generated": self._generated}
        joints = torch.cat([make[kind](n, self.generator(epoch, kind)) for kind, n in self._counts.items()])
        random = self.generator(epoch, "views")
        if self.redefined:
            definitions = torch.rand(len(joints), DEFINITION_COLUMNS, generator=random)
            joints = redefine(joints, self.skeleton, definitions, self.redefined)
        views = look_from_anywhere(joints, torch.rand(len(joints), VIEW_COLUMNS, generator=random))
        keypoints, focal = views.keypoints(), torch.zeros(len(joints))
        confidence = torch.ones(keypoints.shape[:2])
        if self.split == "train":
            keypoints, confidence = detect_roughly(
                keypoints, views.image_size, self.skeleton, self.faulty, self.noise, random
            )
            focal = torch.where(torch.rand(len(joints), generator=random) < 0.5, views.focal, 0)
        target = center_on(views.joints, self.skeleton.origin)
        action = kind_of_each(self._counts)
        return Poses(keypoints, confidence, views.image_size, target, action, focal)

    def _recorded(self, count: int, random: torch.Generator) -> Tensor:
        index = torch.randint(len(self._recording), (count,), generator=random)
        joints = rotate(_Y_UP, self._recording.bodies(index, random))
        return joints[:, self._recording.order]

    def _retargeted(self, count: int, random: torch.Generator) -> Tensor:
        made = []
        for human, size in zip(self._humans, shares(count, len(self._humans)), strict=True):
            index = torch.randint(len(self._motion), (size,), generator=random)
            joints = rotate(_Y_UP, self._motion.bodies(index, random)).unbind(1)
            phase, person, style = self._performers(size, random)
            posture = relaxed(phase, style)
            frames = retarget(dict(zip(self._motion.joints, joints, strict=True)))
            head = frames.head @ about_y(style.degrees(-60, 60))
            frames = frames._replace(head=head, palm=palm(frames.forearm, posture))
            made.append(human.posed(frames, posture, person))
        return torch.cat(made)

    def _generated(self, count: int, random: torch.Generator) -> Tensor:
        kinds = list(itertools.product(self._humans, Human.actions))
        made = []
        for (human, action), size in zip(kinds, shares(count, len(kinds)), strict=True):
            phase, person, style = self._performers(size, random)
            made.append(human.joints(action, phase, person, style.uniform))
        return torch.cat(made)

    def _performers(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Style]:
        """Phases [N], body shapes and styles."""
        person = torch.randint(len(self._people), (count,), generator=random)
        style = Style(torch.rand(count, STYLE_COLUMNS, generator=random))
        return 2 * torch.rand(count, generator=random), self._people[person], style
