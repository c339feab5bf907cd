"""Real motion, seen by real cameras."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from skelgraph.datasets.cameras.camera_sets import serials_of_split
from skelgraph.datasets.cameras.placement import place
from skelgraph.datasets.faults.single_view import detect
from skelgraph.datasets.mocap import motion_file
from skelgraph.datasets.pose_dataset import PoseDataset
from skelgraph.datasets.samples import Poses
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.geometry.rotations import about_x, about_y, about_z, rotate
from skelgraph.skeleton import Skeleton

JOINT_NAMES = {
    **{"pelvis": "hip", "spine": "spine", "thorax": "thorax", "neck": "neck", "head": "head"},
    **{f"l_{part}": f"left_{part}" for part in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")},
    **{f"r_{part}": f"right_{part}" for part in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")},
}
"""Joint names of the file to those of the skeletons; other names stay as they are.

``neck`` is Human3.6M's neck/head joint, ``head`` the top of the head, ``toe`` the joint of the toes, no toe's tip.
"""

_TEST_AREA_M = 1.5
_LOWEST_M = 0.05  # height of the lowest joint, an ankle or a toe, of somebody who stands on the floor


class MotionCapture(PoseDataset):
    """Motion capture from an npz file, projected by the published cameras of Human3.6M.

    Each pose is turned about the vertical by any angle, is as high above the floor as the actor was, stands somewhere
    in Human3.6M's capture space, and is seen, with lens distortion, by one of its cameras: in training by any but the
    held-out one, in the test by the held-out one (in its 9 places, one a session). A pose that leaves the image moves
    towards its middle until all joints are in it. In the test, bodies are as recorded, upright, and within 1.5 m (in x
    and in y) of the middle of the space: ``bone_scale``, ``scale``, ``mirror``, ``lean_deg`` and ``area`` are for
    training. Each pose is placed by itself, and with ``num_frames`` the clip around it: one body, one camera and one
    place, from where the actor moves on as recorded.

    Args:
        skeleton: its joints are found by name (``JOINT_NAMES``).
        split: "train" or "test", as the file's ``seq_split`` says; no subject is in both.
        seed: of everything random.
        file: npz file under ``$SKELGRAPH_DATA``, else under ``data/``.
        cameras: serial numbers of Human3.6M's cameras; default all four.
        held_out: serial number of the camera that only the test sees; None: all are used in both splits.
        noise_px: standard deviation of the detector's noise, px.
        missing: probability that a joint is missing (confidence 0, keypoints 0).
        bone_scale: each bone's length (left and right alike) is multiplied by 1 - bone_scale to 1 + bone_scale.
        scale: the whole body by 1 - scale to 1 + scale.
        mirror: mirrors half of the poses.
        lean_deg: standard deviation of a lean about both horizontal axes, degrees: cameras may be mounted at any angle.
        area: people stand within this many metres of the middle of the capture space, in x and in y.
        frame_step: takes one frame in so many of each sequence.
        exclude: subjects to leave out of both splits.
        as_recorded: share of the training bodies whose lengths stay as they are.
        num_frames: T; with more than 1 each sample is a clip of T frames around its pose, ends of sequences repeated.

    Attributes:
        joints: names of the file's K joints.
        order: of each of the skeleton's joints the index into ``joints``, [J].
        action: of each pose the index into ``actions``, [N].
        actions: names of sequences without their numbers; the subject's name where a sequence has only a number.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for an option out of range, a joint that the file lacks, or a file with faults.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        file: str = "cmu_mocap.npz",
        cameras: list[str] | None = None,
        held_out: str | None = "60457274",
        noise_px: float = 0.0,
        missing: float = 0.0,
        bone_scale: float = 0.08,
        scale: float = 0.05,
        mirror: bool = True,
        lean_deg: float = 4.0,
        area: float = 2.2,
        frame_step: int = 1,
        exclude: Sequence[str] = (),
        as_recorded: float = 0.0,
        num_frames: int = 1,
    ) -> None:
        super().__init__(skeleton, split, seed, num_frames=num_frames)
        _check_ranges(0, 1, missing=missing, bone_scale=bone_scale, scale=scale, as_recorded=as_recorded)
        _check_ranges(0, math.inf, noise_px=noise_px, lean_deg=lean_deg, area=area)
        _check_ranges(1, math.inf, frame_step=frame_step)
        self.noise_px, self.missing = noise_px, missing
        training = split == "train"
        self.bone_scale, self.scale, self.mirror = training * bone_scale, training * scale, training and mirror
        self.lean, self.area = training * math.radians(lean_deg), area if training else _TEST_AREA_M
        serials = sorted(serials_of_split(split, cameras, () if held_out is None else (held_out,)))
        self._cameras = human36m_cameras(serials=serials).flatten().to(torch.float32)
        self._as_recorded = as_recorded
        self._load(_without(motion_file.read(motion_file.locate(file)), exclude), frame_step)

    def __len__(self) -> int:
        return len(self.action)

    def make(self, epoch: int) -> Poses:
        """One epoch: every pose once, in the order of the file, seen from a random side."""
        joints, track = self._bodies(self._window, self.generator(epoch, "body"))
        seen_by, position, track = self._stage(joints, track, self.generator(epoch, "stage"))
        seen = joints[:, :, self.order]  # [N, T, J, 3]
        if self.num_frames > 1:
            seen = seen + track.unsqueeze(2)
        points, keypoints = (t.view(*seen.shape[:3], -1) for t in place(seen.flatten(1, 2), position, seen_by))
        origin = points[:, :, list(self.skeleton.origin)].mean(2, keepdim=True)
        target = points - origin
        if self.num_frames == 1:
            keypoints, target = keypoints.squeeze(1), target.squeeze(1)
        keypoints, confidence = detect(keypoints, self.noise_px, self.missing, self.generator(epoch, "detector"))
        size, focal = seen_by.image_size, seen_by.f.mean(1)
        return Poses(keypoints, confidence, size, target, self.action.clone(), focal)

    def bodies(self, index: Tensor, random: torch.Generator) -> Tensor:
        """Joints [N, K, 3] relative to the root, m, z up, of the poses at ``index`` [N], varied as the options say."""
        middle = self._window[index, self.num_frames // 2].unsqueeze(1)
        return self._bodies(middle, random)[0].squeeze(1)

    def clips(self, index: Tensor, random: torch.Generator) -> Tensor:
        """Joints [N, T, K, 3] in m of the clips around the poses at ``index`` [N], varied as the options say: z up, the
        floor at 0, the middle frame's root above the origin."""
        window = self._window[index]
        joints, track = self._bodies(window, random)
        height, track = self._above_floor(window, joints, track)
        track[..., 2] += height
        return joints + track.unsqueeze(2)

    def _bodies(self, window: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Joints [N, T, K, 3] relative to the root and the way of the root from the clip's middle [N, T, 3], z up,
        turned at random, of bodies varied as the options say."""
        count, bones = len(window), self._bones[window]  # [N, T, 3, K]
        track = self._ground[window] - self._ground[window[:, window.size(1) // 2]].unsqueeze(1)
        if self.mirror:
            mirrored = bones[..., self._twin] * torch.tensor([-1.0, 1.0, 1.0]).unsqueeze(1)
            chosen = torch.rand(count, 1, 1, generator=random) < 0.5
            bones = torch.where(chosen.unsqueeze(1), mirrored, bones)
            track = torch.where(chosen, track * torch.tensor([-1.0, 1.0, 1.0]), track)
        if self.bone_scale or self.scale:
            factor = 1 + self.bone_scale * (2 * torch.rand(count, 1, bones.shape[3], generator=random) - 1)
            whole = 1 + self.scale * (2 * torch.rand(count, 1, 1, generator=random) - 1)
            if self._as_recorded:
                kept = torch.rand(count, 1, 1, generator=random) < self._as_recorded
                factor, whole = (torch.where(kept, 1.0, length) for length in (factor, whole))
            bones = bones * (factor[..., self._bone_class] * whole).unsqueeze(1)
            track = track * whole
        turn = about_z(2 * torch.pi * torch.rand(count, generator=random))
        if self.lean:
            aside, ahead = (self.lean * torch.randn(2, count, generator=random)).unbind()
            turn = about_x(aside) @ about_y(ahead) @ turn
        joints = (bones @ self._path).mT
        return rotate(turn, joints.flatten(1, 2)).view(joints.shape), rotate(turn, track)

    def _stage(self, joints: Tensor, track: Tensor, random: torch.Generator) -> tuple[Camera, Tensor, Tensor]:
        """A camera a pose, where its root is in the world, and the way of the root from there [N, T, 3]: the lowest
        joint is as far above the floor as it was."""
        view = torch.randint(len(self._cameras), (len(self),), generator=random)
        ground = self.area * (2 * torch.rand(len(self), 2, generator=random) - 1)
        height, track = self._above_floor(self._window, joints, track)
        return self._cameras[view], torch.cat([ground, height], 1), track

    def _above_floor(self, window: Tensor, joints: Tensor, track: Tensor) -> tuple[Tensor, Tensor]:
        """How high the root is in the middle frame [N, 1], and the way from there [N, T, 3] with ups and downs."""
        height = self._clearance[window] - joints[..., 2].amin(2)  # [N, T]
        middle = height[:, height.size(1) // 2].unsqueeze(1)
        return middle, torch.cat([track[..., :2], (height - middle).unsqueeze(-1)], -1)

    def _load(self, motion: motion_file.MotionFile, frame_step: int) -> None:
        self.joints = joints = tuple(JOINT_NAMES.get(name, name) for name in motion.joints)
        lacking = [name for name in self.skeleton.joints if name not in joints]
        if lacking:
            raise ValueError(
                f"skeleton {self.skeleton.name!r}: {motion.path} has no joints {', '.join(lacking)}; "
                f"it has {', '.join(joints)}"
            )
        self.order = torch.tensor([joints.index(name) for name in self.skeleton.joints])
        self._twin, self._bone_class = _twins(motion.path, joints)
        self._path = _paths(motion.parents)
        frames, lengths, self._clearance, self.action, self.actions = _frames(motion, self.split, frame_step)
        self._window = _windows(lengths, self.num_frames)
        ground = torch.from_numpy(motion.ground[frames])
        self._ground = torch.cat([ground, torch.zeros(len(ground), 1)], 1)
        offsets, parents = torch.from_numpy(motion.offsets[frames]), list(motion.parents)
        bones = offsets - offsets[:, parents]
        bones[:, 0] = 0
        self._bones = bones.mT.contiguous()


def _without(motion: motion_file.MotionFile, subjects: Sequence[str]) -> motion_file.MotionFile:
    known = {sequence.subject for sequence in motion.sequences}
    unknown = [subject for subject in subjects if subject not in known]
    if unknown:
        raise ValueError(
            f"{motion.path}: exclude names {', '.join(unknown)}; its subjects are {', '.join(sorted(known))}"
        )
    kept = tuple(sequence for sequence in motion.sequences if sequence.subject not in subjects)
    return replace(motion, sequences=kept)


def _check_ranges(low: float, high: float, **options: float) -> None:
    for name, value in options.items():
        if not low <= value < high:
            raise ValueError(f"{name} must be in [{low}, {high}), found {value}")


def _twins(path: Path, joints: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The joint on the other side of each, and a number that both share: the lower of the two."""
    swap = {"left": "right", "right": "left"}
    other = [re.sub(r"^(left|right)", lambda side: swap[side[0]], name) for name in joints]
    alone = [joint for joint, name in zip(joints, other, strict=True) if name not in joints]
    if alone:
        raise ValueError(f"{path}: joint_names lacks the other side of {', '.join(alone)}")
    twin = torch.tensor([joints.index(name) for name in other])
    return twin, torch.minimum(twin, torch.arange(len(joints)))


def _paths(parents: tuple[int, ...]) -> Tensor:
    """``[K, K]``, 1 where the bone of the row lies on the way from the root to the joint of the column."""
    path = torch.eye(len(parents))
    for joint in range(len(parents)):
        above = parents[joint]
        while above != -1:
            path[above, joint] = 1
            above = parents[above]
    return path


def _windows(lengths: list[int], num_frames: int) -> Tensor:
    """``[N, T]``, for each frame those around it, within its sequence; at a sequence's ends the last one again."""
    length = torch.tensor(lengths)
    start = (length.cumsum(0) - length).repeat_interleave(length).unsqueeze(1)
    stop = start + length.repeat_interleave(length).unsqueeze(1)
    frame = torch.arange(int(length.sum())).unsqueeze(1)
    around = frame + torch.arange(num_frames) - num_frames // 2
    return torch.minimum(torch.maximum(around, start), stop - 1)


def _frames(
    motion: motion_file.MotionFile, split: str, step: int
) -> tuple[np.ndarray, list[int], Tensor, Tensor, tuple[str, ...]]:
    """Indices of the frames used, how many of each sequence, clearance of the lowest joint [N] m, action [N], names of
    the actions."""
    frames, clearance, names = [], [], []
    lowest = motion.height + motion.offsets[..., 2].min(1)
    for sequence in motion.sequences:
        kept = np.arange(sequence.start, sequence.stop, step)
        kept = kept[motion.ok[kept]]
        if sequence.split == split and len(kept):
            # Floors differ between recordings; single frames lie below theirs.
            above = lowest[kept] - np.percentile(lowest[kept], 2)
            frames.append(kept)
            clearance.append(_LOWEST_M + above.clip(0))
            names.append(_action(sequence))
    if not frames:
        raise ValueError(f"{motion.path}: no frame is left in split {split!r} (frame_ok False, or no such sequence)")
    actions = tuple(sorted(set(names)))
    action = np.repeat([actions.index(name) for name in names], [len(kept) for kept in frames])
    heights = torch.from_numpy(np.concatenate(clearance)).float()
    lengths = [len(kept) for kept in frames]
    return np.concatenate(frames), lengths, heights, torch.from_numpy(action), actions


def _action(sequence: motion_file.MocapSequence) -> str:
    name = re.sub(r"[\d_]+$", "", sequence.name.split("/")[-1])
    return name or sequence.subject
