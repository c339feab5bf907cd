"""Datasets: poses seen by cameras, drawn an epoch at a time as tensors or served as PyG graphs."""

from skelgraph.datasets.mixed_people import MixedPeople
from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.multiview import MultiView
from skelgraph.datasets.pose_dataset import PoseDataset as PoseDataset
from skelgraph.datasets.pose_dataset import check_dataset as check_dataset
from skelgraph.datasets.rendered import Rendered
from skelgraph.datasets.samples import Poses
from skelgraph.datasets.synthetic import Synthetic

__all__ = ["MixedPeople", "MotionCapture", "MultiView", "Poses", "Rendered", "Synthetic"]
