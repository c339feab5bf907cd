"""What improves a predicted pose: modules of lifting papers that take more than 2D keypoints."""

from skelgraph.nn.models.joint_former import JointFormerRefinement
from skelgraph.nn.models.st_gcn import PoseRefinement

__all__ = ["JointFormerRefinement", "PoseRefinement"]
