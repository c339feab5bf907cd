"""What a camera refuses. Each check raises a ValueError that names the camera and the parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

ROTATION_TOLERANCE = 1e-3


def broadcast(values: Mapping[str, Tensor], events: Mapping[str, tuple[int, ...]], who: str) -> dict[str, Tensor]:
    """Parameters ``[..., *event]`` with the same leading dimensions.

    Args:
        values: parameters by name.
        events: the shape of each behind the leading dimensions.
        who: the cameras in a message.
    """
    for key, event in events.items():
        if tuple(values[key].shape[-len(event) :]) != event:
            expected = f"[..., {', '.join(map(str, event))}]"
            raise ValueError(f"{who}: {key} must have shape {expected}, found {list(values[key].shape)}")
    leading = {key: values[key].shape[: -len(event)] for key, event in events.items()}
    try:
        shape = torch.broadcast_shapes(*leading.values())
    except RuntimeError:
        found = ", ".join(f"{key} {list(dims)}" for key, dims in leading.items() if dims)
        raise ValueError(f"{who}: the leading dimensions of the parameters do not fit together: {found}") from None
    return {key: value.expand(*shape, *events[key]) for key, value in values.items()}


def check_names(names: Sequence[str], shape: Sequence[int]) -> None:
    """Refuses names that are not one per camera."""
    count = int(torch.Size(shape).numel())
    if names and len(names) != count:
        raise ValueError(f"there are {count} cameras {list(shape)} but {len(names)} names: {', '.join(names[:10])}")


def check_numbers(values: Mapping[str, Tensor], names: Sequence[str]) -> None:
    """Refuses what is not finite, focal lengths that are not positive and empty images."""
    for key, value in values.items():
        event = 2 if key == "R" else 1
        at = _first(~value.isfinite().flatten(-event).all(-1))
        if at is not None:
            who = called(names, value.shape[:-event], at)
            raise ValueError(f"{who}: {key} must be finite, found {value[at].tolist()}")
    f, size = values["f"], values["image_size"]
    if (at := _first((f <= 0).any(-1))) is not None:
        raise ValueError(f"{called(names, f.shape[:-1], at)}: f must be positive (px), found {f[at].tolist()}")
    if (at := _first((size <= 0).any(-1))) is not None:
        width, height = size[at].tolist()
        raise ValueError(f"{called(names, size.shape[:-1], at)}: the image is empty: {width:g} x {height:g} px")


def check_rotations(R: Tensor, names: Sequence[str]) -> None:
    """Refuses matrices ``[..., 3, 3]`` that are no rotations."""
    determinant = torch.linalg.det(R)
    error = torch.linalg.norm(R @ R.mT - torch.eye(3, dtype=R.dtype, device=R.device), dim=(-2, -1))
    at = _first(((determinant - 1).abs() > ROTATION_TOLERANCE) | (error > ROTATION_TOLERANCE))
    if at is not None:
        raise ValueError(
            f"{called(names, R.shape[:-2], at)}: R is not a rotation: det(R) = {determinant[at].item():.6g} "
            f"(expected 1), |R R^T - I| = {error[at].item():.3g} (at most {ROTATION_TOLERANCE:g}); "
            "R maps world to camera and has no scale and no mirror"
        )


def check_matrices(P: Tensor, names: Sequence[str]) -> None:
    """Refuses projections that are not ``[..., 3, 4]``, finite, and of a camera at a finite place."""
    if P.shape[-2:] != (3, 4):
        raise ValueError(f"{called(names)}: P must be [..., 3, 4], found {list(P.shape)}")
    if (at := _first(~P.isfinite().flatten(-2).all(-1))) is not None:
        raise ValueError(f"{called(names, P.shape[:-2], at)}: P must be finite, found {P[at].tolist()}")
    if (at := _first(torch.linalg.matrix_rank(P[..., :3]) < 3)) is not None:
        who = called(names, P.shape[:-2], at)
        raise ValueError(f"{who}: the left three columns of P are singular: the camera is at infinity")


def check_skew(K: Tensor, tolerance: float, names: Sequence[str]) -> None:
    """Refuses camera matrices ``[..., 3, 3]`` with more skew than a share ``tolerance`` of the focal length."""
    at = _first(K[..., 0, 1].abs() > tolerance * K[..., 0, 0])
    if at is not None:
        raise ValueError(
            f"{called(names, K.shape[:-2], at)}: P has a skew of {K[at][0, 1].item():.6g} px; only 0 is read"
        )


def called(names: Sequence[str], shape: Sequence[int] = (), at: tuple[int, ...] = ()) -> str:
    """A camera of a batch in messages: by its name, or else by its index."""
    position = 0
    for size, i in zip(shape, at, strict=True):
        position = position * size + i
    if position < len(names):
        return f"camera {names[position]!r}"
    return f"camera {list(at)}" if at else "camera"


def _first(wrong: Tensor) -> tuple[int, ...] | None:
    """The index of the first True of bool [...]; None where there is none."""
    return tuple(int(i) for i in wrong.nonzero()[0]) if wrong.any() else None
