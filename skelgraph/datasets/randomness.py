"""Randomness as a pure function of a key: the same key gives the same numbers in every process."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def hash64(*keys: int | str) -> int:
    """A number in [0, 2^63) that depends on all keys and their order, the same on every machine."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(*key: str | int) -> torch.Generator:
    """A CPU generator seeded by the hash of ``key``."""
    return torch.Generator().manual_seed(hash64(*key))


def shares(count: int, kinds: int) -> list[int]:
    """Sizes of equal parts of ``count``."""
    return [len(part) for part in torch.arange(count).tensor_split(kinds)]


class Style:
    """Hands out columns of uniform numbers, one row a person, so that a row fixes everything about a motion.

    Args:
        uniform: numbers in [0, 1), [N, S]; each call below uses up the next columns.
    """

    def __init__(self, uniform: Tensor) -> None:
        self.uniform = uniform
        self.used = 0

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers [N, *shape] in [low, high)."""
        return low + (high - low) * self._next(shape)

    def degrees(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform angles [N, *shape] in rad, the bounds in degrees."""
        return torch.deg2rad(self.between(low, high, *shape))

    def happens(self, probability: float, *shape: int) -> Tensor:
        """Booleans [N, *shape], true with ``probability``."""
        return self._next(shape) < probability

    def sway(self, phase: Tensor, low: float, high: float, *shape: int) -> Tensor:
        """Angles [N, *shape] in rad that go to and fro between two random angles, once a unit of ``phase`` [N]."""
        a, b, offset = self.degrees(low, high, *shape), self.degrees(low, high, *shape), self._next(shape)
        phase = phase.reshape(-1, *[1] * len(shape))
        return a + (b - a) * (0.5 + 0.5 * torch.sin(2 * torch.pi * (phase + offset)))

    def _next(self, shape: tuple[int, ...]) -> Tensor:
        size = 1
        for length in shape:
            size *= length
        columns = self.uniform[:, self.used : self.used + size]
        if columns.shape[1] < size:
            raise ValueError(f"Style has {self.uniform.shape[1]} columns and {self.used + size} are asked for")
        self.used += size
        return columns.reshape(-1, *shape)
