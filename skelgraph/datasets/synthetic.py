"""Generated people: the embedded dataset, which needs no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from skelgraph.datasets.cameras.views import VIEW_COLUMNS, Views, look_at
from skelgraph.datasets.faults.single_view import detect
from skelgraph.datasets.people.articulation import Creature
from skelgraph.datasets.people.human import Human, landmark_names
from skelgraph.datasets.pose_dataset import PoseDataset
from skelgraph.datasets.randomness import generator
from skelgraph.datasets.samples import Poses
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on

_CHUNK = 2400  # poses made at once; every number of actions up to 6 divides it
_NUM_PEOPLE = {"train": 4096, "test": 512}


class Scene(NamedTuple):
    """What a dataset's poses are made of."""

    views: Views
    action: Tensor  # [N] index into the dataset's actions
    person: Tensor  # [N] row of the dataset's people


class Synthetic(PoseDataset):
    """People (or creatures) of many shapes, in motion, before random cameras. Nothing is read from disk.

    Modelled, for every skeleton whose joints are named as in the built-in ones (whole body, body, hand, face):

    - *Bodies*: rigid-bone kinematics from the pelvis out, over two spine, two neck, two collar-bone joints, shoulders,
      elbows, forearm twist, wrists, hips, knees, ankles and toes, each within anatomical limits (elbows and knees are
      one-way hinges). Statures of 1.45 to 2.0 m, proportions of segments within a few per cent of published ones, left
      and right alike.
    - *Motions*: walking, reaching, sitting, kneeling, lying, turning. Each pose is a random phase of a parametric
      motion in a random style: drawn by hand from sines and ranges of angles, not learnt from recordings.
    - *Hands*: 21 joints, five planar fingers that curl together or apart and spread. *Face*: 68 landmarks on curves,
      fixed to the head, with person-to-person variation, jaw, blink, smile and brows.
    - *Cameras*: distortion-free, anywhere around, pitch within 15 degrees, f/w 0.9 to 1.6, all of the figure in view.

    Not modelled: forces and balance, contact between body parts or with objects, clothes, occlusion (no joint is
    hidden by the body), detector bias, children, and anything about how often real people do what.
    ``HAND`` is a right hand on a moving arm.

    Any other skeleton becomes a made-up creature: random rigid-bone articulation of its tree, see :class:`Creature`.

    Training and test people are disjoint, and so are their motions. A pose is a function of (seed, split, epoch,
    index) and of the options; test poses do not depend on the epoch.

    Args:
        skeleton: any.
        split: "train" or "test".
        seed: of people, motions and cameras.
        num_poses: in an epoch of the training split.
        num_test_poses: in the test split.
        actions: which motions, in turn from pose to pose; default all.
        noise_px: standard deviation of Gaussian noise on the keypoints, px.
        missing: probability that a joint is not detected.
        mirror: shows half of the training poses in a mirror, ``skeleton.pairs`` traded. People are alike on both sides
            as they are; it makes ``HAND`` left and right.

    Attributes:
        actions: the names that ``Poses.action`` counts; for creatures, "moving" alone.
        people: uniform numbers that fix the body shapes of this split, one row a person.

    Raises:
        ValueError: for an unknown split or action, or an option out of range.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        num_poses: int = 20_000,
        num_test_poses: int = 3_000,
        actions: Sequence[str] | None = None,
        noise_px: float = 0.0,
        missing: float = 0.0,
        mirror: bool = False,
    ) -> None:
        super().__init__(skeleton, split, seed)
        if noise_px < 0 or not 0 <= missing < 1:
            raise ValueError(f"noise_px must be >= 0 and missing in [0, 1), found {noise_px} and {missing}")
        self.noise_px, self.missing = noise_px, missing
        self.mirror = mirror and split == "train"
        self.figure = make_figure(skeleton)
        self.actions = _chosen(actions, self.figure.actions)
        self._num_poses = self.size_of_split(num_poses=num_poses, num_test_poses=num_test_poses)
        self.people = torch.rand(_NUM_PEOPLE[split], self.figure.shape_columns, generator=self.generator("people"))

    def __len__(self) -> int:
        return self._num_poses

    def make(self, epoch: int) -> Poses:
        """All poses of an epoch."""
        scene = self.scene(epoch)
        random = self.generator("detector", epoch)
        keypoints, confidence = detect(scene.views.keypoints(), self.noise_px, self.missing, random)
        target = center_on(scene.views.joints, self.skeleton.origin)
        return Poses(keypoints, confidence, scene.views.image_size, target, scene.action, scene.views.focal)

    def scene(self, epoch: int) -> Scene:
        """Where the figures of an epoch stand before their cameras, and which person each is."""
        number = self.epoch_drawn(epoch)
        chunks = [self._chunk(number, chunk) for chunk in range(-(-len(self) // _CHUNK))]
        views, actions, people = zip(*chunks, strict=True)
        joined = Views(*(torch.cat(field)[: len(self)] for field in zip(*views, strict=True)))
        return Scene(joined, torch.cat(actions)[: len(self)], torch.cat(people)[: len(self)])

    def _chunk(self, epoch: int, chunk: int) -> Scene:
        """Always a whole chunk, so that a pose does not depend on how many are asked for."""
        random = self.generator("poses", epoch, chunk, *self.actions)
        kinds = len(self.actions)
        person = torch.randint(len(self.people), (_CHUNK // kinds, kinds), generator=random)
        phase = 2 * torch.rand(_CHUNK // kinds, kinds, generator=random)
        style = torch.rand(_CHUNK // kinds, kinds, self.figure.style_columns, generator=random)
        camera = torch.rand(_CHUNK // kinds * kinds, VIEW_COLUMNS, generator=random)
        mirrored = torch.rand(_CHUNK // kinds * kinds, generator=random) < 0.5
        poses = [
            self.figure.joints(action, phase[:, i], self.people[person[:, i]], style[:, i])
            for i, action in enumerate(self.actions)
        ]
        views = look_at(torch.stack(poses, 1).flatten(0, 1), camera)
        if self.mirror:
            views = views.mirrored(mirrored, self.skeleton.flip_index)
        return Scene(views, torch.arange(kinds).repeat(_CHUNK // kinds), person.flatten())


def clip(skeleton: Skeleton, seed: int, frames: int, fps: float = 30.0, action: str | None = None) -> Poses:
    """One person who moves smoothly before one fixed camera, ``frames`` frames; neither is in any :class:`Synthetic`.

    Args:
        skeleton: any.
        seed: of the person, the motion and the camera.
        frames: how many.
        fps: frames a second.
        action: the motion; default the first ("walking", for people).

    Raises:
        ValueError: for an unknown action, no frames, or ``fps`` not positive.
    """
    if frames < 1 or not fps > 0:
        raise ValueError(f"frames and fps must be positive, found {frames} and {fps}")
    figure = make_figure(skeleton)
    (name,) = _chosen((action or figure.actions[0],), figure.actions)
    random = generator("Synthetic clip", seed, name)
    start, pace = torch.rand(2, generator=random).tolist()
    slow, fast = figure.tempo(name)
    phase = start + (slow + (fast - slow) * pace) / fps * torch.arange(frames)
    shape = torch.rand(1, figure.shape_columns, generator=random).expand(frames, -1)
    style = torch.rand(1, figure.style_columns, generator=random).expand(frames, -1)
    joints = figure.joints(name, phase, shape, style)
    views = look_at(joints.flatten(0, 1)[None], torch.rand(1, VIEW_COLUMNS, generator=random))
    views = Views(*(field.expand(frames, *field.shape[1:]) for field in views))._replace(
        joints=views.joints.view_as(joints)
    )
    actions = torch.full((frames,), figure.actions.index(name))
    size = views.image_size.contiguous()
    target = center_on(views.joints, skeleton.origin)
    return Poses(views.keypoints(), torch.ones(joints.shape[:2]), size, target, actions, views.focal)


def make_figure(skeleton: Skeleton) -> Human | Creature:
    """People where every joint has a human's name, else a creature."""
    return Creature(skeleton) if landmark_names(skeleton) is None else Human(skeleton)


def _chosen(actions: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = known if actions is None else tuple(actions)
    unknown = [action for action in chosen if action not in known]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"actions must be some of {', '.join(known)}, each once; found {', '.join(chosen)}")
    return chosen
