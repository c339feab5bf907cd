"""Creatures for any skeleton: a tree of rigid bones whose joints all swing within limits.

Nothing is known of the anatomy behind an arbitrary skeleton, so one is made up from its tree and pairs: rest directions
that keep sibling bones apart, left and right mirrored. It depends on the skeleton alone, so that training and test sets
show the same kind of creature.
"""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.datasets.randomness import Style, generator
from skelgraph.geometry.rotations import about_x, about_z, from_vector
from skelgraph.skeleton import Skeleton

_SWING = 32.0  # degrees, of a joint about each axis
_TILT = 20.0  # degrees, of the whole creature
_CANDIDATES = 64


class Creature:
    """Random rigid-bone articulation of any tree or forest.

    Bones are 12 to 30 cm in the kind, times 0.8 to 1.2 in each bone of an individual (left and right alike), times
    0.75 to 1.25 in its size. Joints swing by up to 32 degrees about each axis from rest.

    Args:
        skeleton: any.
    """

    actions: tuple[str, ...] = ("moving",)

    def __init__(self, skeleton: Skeleton) -> None:
        self._parents = skeleton.parents
        self._order = sorted(range(skeleton.num_joints), key=lambda joint: skeleton.depth[joint])
        self._left_of = torch.arange(skeleton.num_joints)  # bones of a pair share the length of the left one
        for left, right in skeleton.pairs:
            self._left_of[right] = left
        self._rest = _rest_bones(skeleton, self._order)
        self.shape_columns = skeleton.num_joints + 1
        self.style_columns = 9 * skeleton.num_joints + 2

    def joints(self, action: str, phase: Tensor, shape: Tensor, style: Tensor) -> Tensor:
        """Joints [N, J, 3] in m, world axes (y up); arguments as for people, see :class:`Human`."""
        chance = Style(style)
        tilt = about_x(chance.degrees(-_TILT, _TILT)) @ about_z(chance.degrees(-_TILT, _TILT))
        swing = from_vector(chance.sway(phase, -_SWING, _SWING, len(self._parents), 3))  # [N, J, 3, 3]
        lengths = (0.8 + 0.4 * shape[:, self._left_of]) * (0.75 + 0.5 * shape[:, -1:])
        bones = self._rest * lengths[..., None]
        turned: dict[int, Tensor] = {-1: tilt}
        places: dict[int, Tensor] = {-1: torch.zeros_like(bones[:, 0])}
        for joint in self._order:
            parent = self._parents[joint]
            places[joint] = places[parent] + (turned[parent] @ bones[:, joint, :, None])[..., 0]
            turned[joint] = turned[parent] @ swing[:, joint]
        return torch.stack([places[joint] for joint in range(len(self._parents))], 1)

    def tempo(self, action: str) -> tuple[float, float]:
        """Units of phase in a second, slowest and fastest."""
        return 0.3, 0.6


def _rest_bones(skeleton: Skeleton, order: list[int]) -> Tensor:
    """Bones [J, 3] in m of the kind at rest; those of several roots are their places."""
    random = generator("creature", skeleton.name, *skeleton.joints, *skeleton.parents)
    right_to_left = {right: left for left, right in skeleton.pairs}
    paired = {joint for pair in skeleton.pairs for joint in pair}
    children = {p: [j for j, q in enumerate(skeleton.parents) if q == p] for p in range(-1, skeleton.num_joints)}
    bones = torch.zeros(skeleton.num_joints, 3)
    lengths = 0.12 + 0.18 * torch.rand(skeleton.num_joints, generator=random)
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    placed: set[int] = set()
    for joint in sorted(order, key=lambda joint: (skeleton.depth[joint], joint in right_to_left)):
        parent = skeleton.parents[joint]
        if joint in right_to_left:
            bones[joint] = bones[right_to_left[joint]] * mirror
        elif parent >= 0 or len(skeleton.roots) > 1:
            siblings = [bones[j] for j in children[parent] if j in placed]
            onward = bones[parent] if parent >= 0 else torch.zeros(3)
            direction = _apart(onward, siblings, joint in paired, random)
            bones[joint] = direction * lengths[joint]
        placed.add(joint)
    return bones


def _apart(onward: Tensor, siblings: list[Tensor], paired: bool, random: torch.Generator) -> Tensor:
    """The unit direction, of a few that lead ``onward``, farthest from the siblings' and its own mirror image."""
    candidates = torch.randn(_CANDIDATES, 3, generator=random)
    candidates = candidates * 0.5 + torch.nn.functional.normalize(onward, dim=0)
    candidates[:, 0] = candidates[:, 0].abs() + 0.05 if paired else 0.0
    candidates = torch.nn.functional.normalize(candidates, dim=-1)
    mirrored = candidates * torch.tensor([-1.0, 1.0, 1.0])
    others = [torch.nn.functional.normalize(s, dim=0).expand_as(candidates) for s in siblings]
    others += [mirrored] if paired else []
    if not others:
        return candidates[0]
    nearness = torch.stack([(candidates * other).sum(-1) for other in others]).amax(0)
    return candidates[nearness.argmin()]
