"""Datasets: poses seen by cameras, drawn an epoch at a time or served as PyG graphs."""

from skelgraph.data.mixed_people import MixedPeople
from skelgraph.data.motion_capture import MotionCapture
from skelgraph.data.multiview import MultiView
from skelgraph.data.poses import Poses
from skelgraph.data.rendered import Rendered
from skelgraph.data.synthetic import Synthetic

__all__ = ["MixedPeople", "MotionCapture", "MultiView", "Poses", "Rendered", "Synthetic"]
