"""Models of several views: images [B, V, T, C, H, W] or keypoints [B, V, T, J, C]; those of :mod:`skelgraph.nn.models`
take one view's keypoints."""

from skelgraph.nn.models.mstr import MSTR
from skelgraph.nn.models.multi_view_lifter import MultiViewLifter

__all__ = ["MSTR", "MultiViewLifter"]
