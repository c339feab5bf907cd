"""Models of images [B, V, T, C, H, W]; those of :mod:`skelgraph.models` take keypoints."""

from skelgraph.models.mstr import MSTR

__all__ = ["MSTR"]
