"""What a model's foretold error means in mm: fitted on people it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 20


@dataclass(frozen=True, eq=False)
class ErrorEstimate:
    """Maps the error that a model foretells to the error measured, joint by joint: a rising, piecewise linear curve
    for each part of the skeleton, through the means of equally filled bins; beyond the outermost it is proportional.

    Args:
        parts: which curve each joint has, [J].
        foretold: knots of each curve, m, [P, K].
        measured: mean error in mm of the joints about each knot, [P, K].

    Raises:
        ValueError: for shapes that disagree, or curves that do not rise from above 0.
    """

    parts: tuple[int, ...]
    foretold: NDArray[np.float64]
    measured: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("foretold", "measured"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.foretold.ndim != 2 or self.foretold.shape != self.measured.shape:
            raise ValueError(f"error estimate: {self.foretold.shape} knots for {self.measured.shape} values")
        if set(self.parts) != set(range(len(self.foretold))):
            raise ValueError(f"error estimate: the joints name the curves {set(self.parts)} of {len(self.foretold)}")
        for curve in (self.foretold, self.measured):
            if not (np.isfinite(curve).all() and (curve > 0).all() and (np.diff(curve) >= 0).all()):
                raise ValueError("error estimate: a curve must rise from above 0")

    @classmethod
    def fit(
        cls, foretold: NDArray[np.floating[Any]], error_mm: NDArray[np.floating[Any]], parts: Sequence[int]
    ) -> ErrorEstimate:
        """Fits the curves to foretold errors in m and true ones in mm, both [N, J]."""
        knots, values = [], []
        for part in range(max(parts) + 1):
            joints = [joint for joint, own in enumerate(parts) if own == part]
            x, y = foretold[:, joints].ravel(), error_mm[:, joints].ravel()
            bins = np.array_split(np.argsort(x), _BINS)
            knots.append([float(x[bin].mean()) for bin in bins])
            values.append(np.maximum.accumulate([float(y[bin].mean()) for bin in bins]))
        return cls(tuple(parts), np.array(knots), np.array(values))

    def __call__(self, foretold: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Expected error in mm, [F, J], for what the model foretells in m, [F, J]."""
        expected = np.empty(foretold.shape, dtype=np.float32)
        part_of = np.array(self.parts)
        for part, (x, y) in enumerate(zip(self.foretold, self.measured, strict=True)):
            own = foretold[:, part_of == part]
            known = np.clip(own, x[0], x[-1])
            expected[:, part_of == part] = np.interp(known, x, y) * own / known
        return expected

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"parts": list(self.parts), "foretold": self.foretold.tolist(), "measured": self.measured.tolist()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> ErrorEstimate:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: if it is not one.
        """
        try:
            parts = tuple(int(part) for part in told["parts"])
            foretold, measured = (np.array(told[name], dtype=np.float64) for name in ("foretold", "measured"))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"error estimate: {error!r}") from None
        return cls(parts, foretold, measured)
