"""Signs that keypoints are not what they are taken for.

Each check looks at a whole clip and gives a :class:`Suspicion` or None; joints are found by name, and who has none of
the names that a check needs is not judged by it.

| kind | error (``force=True`` overrides it) | warning |
|---|---|---|
| no points | all confidences are 0 | |
| normalised | 95 % of the coordinates within [-2, 2] | |
| placeholders | over 1 % of the points seen at (0, 0) or (-1, -1) | fewer |
| confidence | | over 1 % far outside [0, 1] |
| image size | over half of the points outside | width and height swapped; all points in its top left corner |
| joint order | another known order fits better, or none | |
| upside down | head below ankles, shoulders below hips | |
| sides disagree | hips against shoulders | face against shoulders |
| mirrored | | confidences of the face speak for it |
| frozen, jumps, sides jump | | the same pose; a person or joints that jump; sides that swap places |

Errors are what would make every frame nonsense and is hardly ever right; warnings spoil single frames or may be right.
Not detected: left and right swapped or a mirrored image without confidences (see :func:`body_checks.mirrored`), someone
lying turned over, width and height swapped while all points lie within both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skelgraph.poses.checks import body, motion
from skelgraph.poses.checks.suspicion import Suspicion
from skelgraph.poses.keypoints import Keypoints

_NORMALISED, _NEARLY_ALL = 2.0, 0.95
_FEW, _HALF = 0.01, 0.5
_SWAPPED_SHARE, _CORNER = 0.1, 1 / 3


def suspicions(keypoints: Keypoints) -> tuple[Suspicion, ...]:
    """What looks wrong with keypoints in px whose image size is known, the surest first.

    Where a check explains others (no points, normalised, placeholders, another joint order), these are left out.
    """
    if not keypoints.num_frames:
        return ()
    for cause in (no_points, normalised):
        if found := cause(keypoints):
            return (found,)
    always = [found for check in (confidence, placeholders, image_size) if (found := check(keypoints))]
    if any(found.kind == "placeholders" and found.sure for found in always):
        return tuple(sorted(always, key=lambda found: not found.sure))
    wrong = body.order(keypoints)
    bodies = [wrong] if wrong else [found for check in body.CHECKS if (found := check(keypoints))]
    moves = [found for check in motion.CHECKS if keypoints.num_frames > 1 and (found := check(keypoints))]
    return tuple(sorted([*bodies, *always, *moves], key=lambda found: not found.sure))


def no_points(keypoints: Keypoints) -> Suspicion | None:
    """No point seen at all."""
    if not keypoints.missing.all():
        return None
    return Suspicion(
        "no points",
        f"all confidences are 0 (or the points NaN) in all {keypoints.num_frames} frames: nothing to lift; give "
        "confidences above 0 to what is seen, or leave them out",
        True,
    )


def normalised(keypoints: Keypoints) -> Suspicion | None:
    """95 % of the coordinates within [-2, 2]: scaled already, not pixels."""
    seen = np.abs(keypoints.xy[~keypoints.missing])
    small = (seen[:, 0] <= _NORMALISED) & (seen[:, 1] <= _NORMALISED)
    if not seen.size or small.mean() < _NEARLY_ALL:
        return None
    return Suspicion(
        "normalised",
        f"in {keypoints.num_frames} frames the largest coordinate is {seen.max():.3g}: normalised already? Pixels are "
        "expected: multiply them back",
        True,
    )


def placeholders(keypoints: Keypoints) -> Suspicion | None:
    """Points at exactly (0, 0) or (-1, -1) that have a confidence: what some tools write for what they did not find."""
    seen, (x, y) = ~keypoints.missing, np.moveaxis(keypoints.xy, -1, 0)
    marked = seen & (x == y) & ((x == 0) | (x == -1))
    if not marked.any():
        return None
    count, frames = int(marked.sum()), int(marked.any(axis=1).sum())
    return Suspicion(
        "placeholders",
        f"{count} of {int(seen.sum())} points, in {frames} of {keypoints.num_frames} frames, lie at exactly (0, 0) or "
        "(-1, -1) with a confidence above 0: missing points? Set them to NaN, or their confidence to 0",
        count > _FEW * seen.sum(),
    )


def confidence(keypoints: Keypoints) -> Suspicion | None:
    """More than 1 % of the confidences were given far outside [0, 1]."""
    if keypoints.beyond <= _FEW * keypoints.confidence.size:
        return None
    return Suspicion(
        "confidence",
        f"{keypoints.beyond} of {keypoints.confidence.size} confidences are outside [0, 1] and cut off to it: divide "
        "them by the largest that the detector gives",
        False,
    )


def image_size(keypoints: Keypoints) -> Suspicion | None:
    """More than half of the points outside the image, or 10 % that width and height swapped would hold, or all points
    in the third of it at the top left."""
    if keypoints.image_size is None or keypoints.missing.all():
        return None
    seen = keypoints.xy[~keypoints.missing]
    width, height = keypoints.image_size
    said = f"the image of {width:g}x{height:g} px"
    out = _outside(seen, width, height)
    frames = f"{out.mean():.0%} of the points in {keypoints.num_frames} frames lie outside {said}"
    swapped = _outside(seen, height, width).mean()
    if out.mean() > _SWAPPED_SHARE and swapped < _FEW:
        return Suspicion(
            "image size",
            f"{frames}, but within {height:g}x{width:g}: are width and height swapped (image_size=(WIDTH, HEIGHT))?",
            bool(out.mean() > _HALF),
        )
    if out.mean() > _HALF:
        hint = "px count from the top left corner, not from the middle" if (seen < 0).mean() > _FEW else "give the size"
        return Suspicion("image size", f"{frames}: is the image size right? {hint} (image_size=(WIDTH, HEIGHT))", True)
    right, low = seen.max(axis=0) / (width, height)
    if max(right, low) > _CORNER:
        return None
    return Suspicion(
        "image size",
        f"all points in {keypoints.num_frames} frames lie within {right:.0%} of the width and {low:.0%} of the height "
        f"of {said}, in its top left corner: is the image size right (image_size=(WIDTH, HEIGHT))?",
        False,
    )


def _outside(xy: NDArray[np.float32], width: float, height: float) -> NDArray[np.bool_]:
    x, y = xy[:, 0], xy[:, 1]
    return (x < 0) | (x > width) | (y < 0) | (y > height)
