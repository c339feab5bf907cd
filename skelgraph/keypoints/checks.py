"""Signs that keypoints are not what they are taken for. Each check gives a message, or None."""

from __future__ import annotations

import numpy as np

from skelgraph.keypoints.keypoints import Keypoints

_HEAD = ("head", "head_top", "nose", "left_eye", "right_eye", "left_ear", "right_ear")
_FEET = ("left_ankle", "right_ankle")
_NORMALISED, _UPRIGHT_SHARE, _OUTSIDE_SHARE = 2.0, 0.8, 0.5


def normalised(keypoints: Keypoints) -> str | None:
    """All coordinates within [-2, 2]: scaled already, not pixels."""
    seen = np.abs(keypoints.xy[~keypoints.missing])
    if not seen.size or seen.max() > _NORMALISED:
        return None
    return f"the largest coordinate is {seen.max():.3g}: normalised already? Pixels are expected: multiply them back"


def order(keypoints: Keypoints) -> str | None:
    """Head above ankles in at most 80 % of the frames in which the body is more upright than lying in the image."""
    head, feet = (_mean(keypoints, names) for names in (_HEAD, _FEET))
    across, down = np.moveaxis(feet - head, -1, 0)
    upright = np.abs(down) > np.abs(across)  # False where NaN: one of the two is missing
    share = (down[upright] > 0).mean() if upright.any() else 1.0
    if share > _UPRIGHT_SHARE:
        return None
    return (
        f"the head is above the ankles in only {share:.0%} of {int(upright.sum())} frames: are the joints in another "
        "order, or does y point up? y points down in an image"
    )


def outside(keypoints: Keypoints) -> str | None:
    """More than half of the points outside the image."""
    if keypoints.image_size is None or keypoints.missing.all():
        return None
    seen = keypoints.xy[~keypoints.missing]
    share = float(((seen < 0) | (seen > np.array(keypoints.image_size))).any(axis=-1).mean())
    width, height = keypoints.image_size
    if share <= _OUTSIDE_SHARE:
        return None
    return f"{share:.0%} of the points lie outside the image of {width:g}x{height:g} px: is the image size right?"


def _mean(keypoints: Keypoints, names: tuple[str, ...]) -> np.ndarray:
    """[F, 2], NaN in frames without any of the joints."""
    index = [i for i, joint in enumerate(keypoints.joints) if joint in names]
    weight = (~keypoints.missing[:, index]).astype(np.float64)[..., None]
    count = weight.sum(axis=1)
    return np.where(count > 0, (keypoints.xy[:, index] * weight).sum(axis=1) / np.maximum(count, 1), np.nan)
