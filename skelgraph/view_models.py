"""Models of several views: images [B, V, T, C, H, W] or keypoints [B, V, T, J, C]; those of :mod:`skelgraph.models`
take one view's keypoints."""

from skelgraph.models.mstr import MSTR
from skelgraph.models.multi_view_lifter import MultiViewLifter

__all__ = ["MSTR", "MultiViewLifter"]
