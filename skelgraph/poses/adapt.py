"""Keypoints made ready for a model: its joints by name, a known image size, and nothing that looks wrong."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from skelgraph.errors import SuspiciousInputError
from skelgraph.poses import joint_matching
from skelgraph.poses.checks import checks
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton import Skeleton

_FEWEST = 5


class Adapted(NamedTuple):
    """Keypoints of a skeleton's joints, how they were made, and what looked wrong but was overridden."""

    keypoints: Keypoints
    match: joint_matching.Match
    warnings: tuple[str, ...]


def adapt(
    keypoints: Keypoints,
    skeleton: Skeleton,
    image_size: tuple[float, float] | None = None,
    *,
    force: bool = False,
) -> Adapted:
    """Fits keypoints to a skeleton.

    Args:
        keypoints: with joint names, or without but of as many joints as the skeleton, taken in its order.
        skeleton: what the model needs.
        image_size: width and height in px, in place of the file's.
        force: take what looks wrong for right and only warn.

    Raises:
        ValueError: if the image size is unknown, or the joints do not fit.
        SuspiciousInputError: if the values look wrong and ``force`` is not given.
    """
    source = keypoints.source
    size = image_size or keypoints.image_size
    if size is None:
        raise ValueError(f"{source}: does not say the size of the image; give image_size=(WIDTH, HEIGHT) in px")
    keypoints = dataclasses.replace(keypoints.in_pixels(size), image_size=size)
    match = _match(keypoints, skeleton)
    xy, confidence = match(keypoints.xy, keypoints.confidence)
    fitted = dataclasses.replace(keypoints, xy=xy, confidence=confidence, joints=skeleton.joints)
    found = checks.suspicions(dataclasses.replace(keypoints, joints=match.source))
    wrong = [each.message for each in found if each.sure]
    if wrong and not force:
        raise SuspiciousInputError(f"{source}: {'; and '.join(wrong)}. If it is right as it is: force=True")
    return Adapted(fitted, match, tuple(each.message for each in found))


def _match(keypoints: Keypoints, skeleton: Skeleton) -> joint_matching.Match:
    count, needed = keypoints.num_joints, skeleton.num_joints
    if not keypoints.joints:
        if count != needed:
            raise ValueError(
                f"{keypoints.source}: has {count} joints without names, but the model's skeleton {skeleton.name} needs "
                f"{needed}; closest known: {joint_matching.closest(count)}. Name the joints (array 'joints' or "
                "'skeleton' in the npz) and they are matched by name"
            )
        return joint_matching.match(skeleton.joints, skeleton)
    match = joint_matching.match(keypoints.joints, skeleton)
    found = needed - len(match.missing)
    if found < min(_FEWEST, (needed + 1) // 2):
        raise ValueError(
            f"{keypoints.source}: of its {count} joints ({', '.join(keypoints.joints[:6])}, ...; closest known: "
            f"{joint_matching.closest(count)}) only {found} are among the {needed} of the model's skeleton "
            f"{skeleton.name} ({', '.join(skeleton.joints[:6])}, ...)"
        )
    return match
