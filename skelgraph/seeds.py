"""Randomness as a function of numbers, so that no random state is ever saved."""

from __future__ import annotations

import hashlib


def hash64(*keys: int | str) -> int:
    """A number in [0, 2^63) that depends on all keys and their order, the same on every machine."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
