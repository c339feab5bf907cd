"""Where the person is: an estimate of the root's path from 2D keypoints, the focal length and the body height."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.poses import joint_matching
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import HUMAN36M

LIMBS_SHARE = 0.818 - 0.039
"""Shoulder height minus ankle height as a share of the body height (Drillis and Contini 1966, in Winter 2009)."""


class Trajectory(NamedTuple):
    """A pose scaled to a body height, and where its origin was, which is an estimate: as good as the height, the focal
    length and the pose, a few per cent of the distance at best.

    Args:
        pose: the pose, scaled, with its root.
        scale: the pose's joints are the given ones times this.
    """

    pose: Pose3D
    scale: float


def estimate_root(
    joints: ArrayLike, keypoints: ArrayLike, confidence: ArrayLike, focal: float, center: tuple[float, float]
) -> NDArray[np.float64]:
    r"""Estimates the translation that projects root-relative joints onto their keypoints, frame by frame.

    .. math:: \min_t \sum_j w_j \left[ (f (x_j + t_x) - (u_j - c_x) (z_j + t_z))^2
        + (f (y_j + t_y) - (v_j - c_y) (z_j + t_z))^2 \right]

    This is linear in t (DLT). Scaled joints give t scaled likewise: see :func:`estimate_trajectory` for the scale.

    Args:
        joints: [F, J, 3], relative to the root, camera axes.
        keypoints: [F, J, 2] px.
        confidence: [F, J] weights w; 0 leaves a joint out, whatever its keypoint is.
        focal: the focal length in px; for an image w px wide and a view of a rad it is w / (2 tan(a / 2)).
        center: the principal point in px, most often the middle of the image.

    Returns:
        [F, 3] in the unit of ``joints``; NaN in frames with fewer than two keypoints apart from each other, or where
        the person would be behind the camera.

    Raises:
        ValueError: for shapes that disagree, values that are not finite, negative weights, or ``focal`` not above 0.
    """
    x, uv, w = (np.asarray(value, dtype=np.float64) for value in (joints, keypoints, confidence))
    if x.ndim != 3 or x.shape[-1] != 3 or uv.shape != (*x.shape[:2], 2) or w.shape != x.shape[:2]:
        raise ValueError(
            f"joints {list(x.shape)}, keypoints {list(uv.shape)}, confidence {list(w.shape)}; expected [F, J, 3], "
            "[F, J, 2], [F, J]"
        )
    if not (np.isfinite(w).all() and (w >= 0).all() and np.isfinite(x).all() and np.isfinite(uv[w > 0]).all()):
        raise ValueError("joints, confidence and the keypoints it does not leave out must be finite, confidence >= 0")
    if not 0 < focal < math.inf or len(center) != 2 or not np.isfinite(center).all():
        raise ValueError(f"focal {focal} and center {center}; expected a number above 0 and two numbers, in px")
    weight = w[..., None]
    ray = np.where(weight > 0, uv - center, 0) / focal
    gap = ray * x[..., 2:] - x[..., :2]  # t_x - ray_x t_z = gap_x, and so for y
    with np.errstate(invalid="ignore", divide="ignore"):
        ray_mean, gap_mean = (np.sum(weight * value, axis=1) / w.sum(1)[:, None] for value in (ray, gap))
        ray_off, gap_off = ray - ray_mean[:, None], gap - gap_mean[:, None]
        spread = np.sum(weight * ray_off**2, axis=(1, 2))
        depth = -np.sum(weight * ray_off * gap_off, axis=(1, 2)) / spread
        root = np.concatenate([gap_mean + ray_mean * depth[:, None], depth[:, None]], axis=1)
        behind = root[:, 2] + np.sum(w * x[..., 2], axis=1) / w.sum(1) <= 0
        lost = ~np.isfinite(root).all(1) | (spread <= 1e-18 * w.sum(1)) | behind
    root[lost] = np.nan
    return root


def body_height(pose: Pose3D) -> float:
    """The height in m of the person whose bones these are: ankle to knee to hip to the middle of the shoulders, of the
    median frame, over :data:`LIMBS_SHARE`. Bones do not shrink when a person bends the knees or sits.

    Raises:
        ValueError: if there are no frames, a length of 0, or no shoulders, hips, knees or ankles.
    """
    match = joint_matching.match(pose.skeleton.joints, HUMAN36M)
    places = {}
    for name in ("hip", "thorax", *(f"{side}_{j}" for side in ("left", "right") for j in ("hip", "knee", "ankle"))):
        parts = match.weights[HUMAN36M.index(name)]
        if not parts:
            raise ValueError(f"skeleton {pose.skeleton.name!r}: no {name}, which body height is taken from")
        places[name] = sum(weight * pose.joints[:, source].astype(np.float64) for source, weight in parts)

    def bone(a: str, b: str) -> NDArray[np.float64]:
        length: NDArray[np.float64] = np.linalg.norm(places[a] - places[b], axis=-1)
        return length

    sides = [bone(f"{side}_hip", f"{side}_knee") + bone(f"{side}_knee", f"{side}_ankle") for side in ("left", "right")]
    lengths = bone("hip", "thorax") + sum(sides) / 2
    height = float(np.median(lengths)) / LIMBS_SHARE if len(lengths) else 0.0
    if not height > 0:
        raise ValueError("pose: no frames or no bones to take the body height from")
    return height


def estimate_trajectory(
    pose: Pose3D,
    keypoints: ArrayLike,
    confidence: ArrayLike,
    focal: float,
    center: tuple[float, float],
    height: float = 1.7,
) -> Trajectory:
    """Scales a pose to an assumed body height and estimates its origin's path; frames that tell nothing are
    interpolated from those that do.

    Args:
        pose: F frames of J joints.
        keypoints: [F, J, 2] px of the same joints.
        confidence: [F, J].
        focal: px.
        center: px.
        height: of the person, m; the path scales with it.

    Raises:
        ValueError: as :func:`estimate_root` and :func:`body_height`; for a height that is not above 0; if no frame
            tells a place.
    """
    if not 0 < height < math.inf:
        raise ValueError(f"height is {height}; expected metres above 0")
    scale = height / body_height(pose)
    error = None if pose.error_mm is None else pose.error_mm * np.float32(scale)
    scaled = dataclasses.replace(pose, joints=pose.joints * np.float32(scale), error_mm=error)
    root = estimate_root(scaled.joints, keypoints, confidence, focal, center)
    good = np.flatnonzero(np.isfinite(root).all(1))
    if not good.size:
        raise ValueError("no frame has two keypoints in front of the camera: the root's place cannot be estimated")
    frames = np.arange(len(root))
    filled = np.stack([np.interp(frames, good, root[good, axis]) for axis in range(3)], axis=1)
    return Trajectory(dataclasses.replace(scaled, root=filled), scale)
