"""2D keypoints of one person over time, as every reader gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")
_MAX_ZEROS, _MAX_SHARE = 0.01, 2.0
_MAX_CONFIDENCE = 1.5  # simulated heat maps give a little more than 1


@dataclass(frozen=True, eq=False)
class Keypoints:
    """One person's joints in F frames. A point that is not finite, or has no confidence, is missing: (0, 0) and 0.

    Args:
        xy: [F, J, 2] px, x right, y down.
        confidence: [F, J] in [0, 1] (what a detector gives beyond is cut off), 0 = missing.
        joints: J names; empty where the file names none.
        image_size: width and height, px.
        fps: frames per second.
        source: where the keypoints come from, for messages.
        format: which format they were read from.
        normalised: ``xy`` are shares of the image's width and height, as some formats have them, until
            :meth:`in_pixels`.
        beyond: how many confidences were given far outside [0, 1]: below 0 or above 1.5, but for COCO's 2 (visible).
        person: who it is of the people in the file; None: there is only one, or nobody was asked for.

    Raises:
        ValueError: for shapes that disagree, bad or repeated names, an image size or fps that is not positive, or
            normalised values that mostly lie beyond 2.
    """

    xy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    joints: tuple[str, ...] = ()
    image_size: tuple[float, float] | None = None
    fps: float | None = None
    source: str = "keypoints"
    format: str = ""
    normalised: bool = False
    beyond: int = 0
    person: int | None = None

    def __post_init__(self) -> None:
        xy, confidence = (_floats(value, self.source) for value in (self.xy, self.confidence))
        if xy.ndim != 3 or xy.shape[2] != 2 or confidence.shape != xy.shape[:2]:
            raise ValueError(
                f"{self.source}: keypoints {list(xy.shape)} and confidence {list(confidence.shape)}; "
                "expected [F, J, 2] and [F, J]"
            )
        missing = ~np.isfinite(xy).all(axis=-1) | ~(confidence > 0)
        beyond = int(((confidence < 0) | ((confidence > _MAX_CONFIDENCE) & (confidence != 2))).sum())
        confidence = np.where(missing, 0, np.clip(confidence, 0, 1)).astype(np.float32)
        values = {
            "xy": np.where(missing[..., None], 0, xy).astype(np.float32),
            "confidence": confidence,
            "joints": _names(self.joints, xy.shape[1], self.source),
            "image_size": _image_size(self.image_size, self.source),
            "fps": _fps(self.fps, self.source),
            "beyond": max(beyond, self.beyond),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)
        if self.normalised:
            _check_shares(self.xy[~self.missing], self.source)

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        joints: Sequence[str] = (),
        *,
        confidence: ArrayLike | None = None,
        image_size: tuple[float, float] | None = None,
        fps: float | None = None,
        source: str = "keypoints",
        normalised: bool = False,
    ) -> Keypoints:
        """Makes keypoints of an array.

        Args:
            values: [F, J, 2] px, or [F, J, 3] with the confidence last; a single frame may leave F out.
            confidence: [F, J], where ``values`` do not hold it; without any, points at exactly (0, 0) are missing.

        Raises:
            ValueError: for another shape, or if more than 1 % of points without confidence lie at (0, 0).
        """
        array = _floats(values, source)
        array = array[None] if array.ndim == 2 else array
        if array.ndim != 3 or array.shape[2] not in (2, 3):
            raise ValueError(f"{source}: keypoints have the shape {list(array.shape)}; expected [F, J, 2] or [F, J, 3]")
        if confidence is None:
            confidence = array[..., 2] if array.shape[2] == 3 else _seen(array, source)
        elif array.shape[2] == 3:
            raise ValueError(f"{source}: confidence is given twice: as the third column and by itself")
        given = _floats(confidence, source)
        given = given[None] if given.ndim == 1 else given
        return cls(array[..., :2], given, tuple(joints), image_size, fps, source, normalised=normalised)

    def in_pixels(self, image_size: tuple[float, float] | None = None) -> Keypoints:
        """These keypoints in px, themselves if they are already.

        Args:
            image_size: width and height in px, in place of the keypoints' own.

        Raises:
            ValueError: if they are normalised and the image size is not known.
        """
        size = image_size or self.image_size
        if not self.normalised:
            return self
        if size is None:
            raise ValueError(f"{self.source}: holds shares of the image's width and height; give the size of the image")
        return replace(self, xy=self.xy * np.array(size, dtype=np.float32), image_size=size, normalised=False)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """[F, J]"""
        return self.confidence == 0

    @property
    def num_frames(self) -> int:
        return self.xy.shape[0]

    @property
    def num_joints(self) -> int:
        return self.xy.shape[1]


def _floats(value: ArrayLike, source: str) -> NDArray[np.float32]:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{source}: keypoints must be one array of numbers, not lists of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{source}: keypoints must be numbers, not {array.dtype}")
    # Beyond what float32 holds is no position in an image: it becomes infinite, so missing.
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _seen(array: NDArray[np.float32], source: str) -> NDArray[np.float32]:
    zeros = (array == 0).all(axis=-1)
    share = zeros.mean() if zeros.size else 0.0
    if share > _MAX_ZEROS:
        places = ", ".join(f"frame {f} joint {j}" for f, j in np.argwhere(zeros)[:5])
        raise ValueError(
            f"{source}: {int(zeros.sum())} of {zeros.size} points ({share:.1%}) lie at exactly (0, 0), which looks "
            f"like missing points ({places}, ...); set them to NaN, or give a confidence that is 0 there"
        )
    return np.where(zeros, 0, 1).astype(np.float32)


def _check_shares(seen: NDArray[np.float32], source: str) -> None:
    typical = float(np.median(np.abs(seen).max(axis=-1))) if seen.size else 0.0
    if typical > _MAX_SHARE:
        raise ValueError(
            f"{source}: expected shares of the image's width and height, mostly 0 to 1, but its coordinates are around "
            f"{typical:.4g}: px already? Then save them as an npz with 'keypoints' in px and 'joints' or 'skeleton'"
        )


def _names(joints: Sequence[str], count: int, source: str) -> tuple[str, ...]:
    names = tuple(str(joint) for joint in joints)
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{source}: joint name {name[:80]!r} must be 1 to 64 of A-Z a-z 0-9 _ . : + -")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{source}: joints are duplicated: {', '.join(map(repr, twice[:5]))}")
    if names and len(names) != count:
        raise ValueError(f"{source}: {count} joints but {len(names)} names")
    return names


def _image_size(size: Sequence[float] | None, source: str) -> tuple[float, float] | None:
    if size is None:
        return None
    sides = tuple(float(side) for side in size)
    if len(sides) != 2 or not all(0 < side < 1e6 for side in sides):
        raise ValueError(f"{source}: image size {list(sides)}; expected width and height in px, both above 0")
    return sides[0], sides[1]


def _fps(fps: float | None, source: str) -> float | None:
    if fps is not None and not 0 < fps < 1e6:
        raise ValueError(f"{source}: fps {fps}; expected a number above 0")
    return None if fps is None else float(fps)
