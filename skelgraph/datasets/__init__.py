"""Datasets: poses seen by cameras, drawn an epoch at a time or served as PyG graphs."""

from skelgraph.datasets.mixed_people import MixedPeople
from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.multiview import MultiView
from skelgraph.datasets.rendered import Rendered
from skelgraph.datasets.samples import Poses
from skelgraph.datasets.synthetic import Synthetic

__all__ = ["MixedPeople", "MotionCapture", "MultiView", "Poses", "Rendered", "Synthetic"]
