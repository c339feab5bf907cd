"""Lifting models, one paper per file: ``Model(skeleton, ...)``, then ``model(x)``.

What each takes and gives is said by its attributes, see :class:`PoseModel`: most take one view's keypoints [..., J, C];
refinements take predicted poses, ``MultiViewLifter`` keypoints and ``MSTR`` images of several views.
"""

from skelgraph.nn.models.am_pose import AMPose
from skelgraph.nn.models.gcn import GCN
from skelgraph.nn.models.graformer import GraFormer
from skelgraph.nn.models.joint_former import JointFormer, JointFormerRefinement
from skelgraph.nn.models.large_simple_baseline import LargeSimpleBaseline
from skelgraph.nn.models.modulated_gcn import ModulatedGCN
from skelgraph.nn.models.mstr import MSTR
from skelgraph.nn.models.multi_view_lifter import MultiViewLifter
from skelgraph.nn.models.part_lifter import PartLifter
from skelgraph.nn.models.pose_model import PoseModel as PoseModel
from skelgraph.nn.models.pose_model import SkeletonModel as SkeletonModel
from skelgraph.nn.models.pose_model import check_model as check_model
from skelgraph.nn.models.sem_gan import SemGAN
from skelgraph.nn.models.sem_gcn import SemGCN
from skelgraph.nn.models.simple_baseline import SimpleBaseline
from skelgraph.nn.models.st_gcn import STGCN, PoseRefinement

__all__ = [
    "AMPose",
    "GCN",
    "GraFormer",
    "JointFormer",
    "JointFormerRefinement",
    "LargeSimpleBaseline",
    "MSTR",
    "ModulatedGCN",
    "MultiViewLifter",
    "PartLifter",
    "PoseRefinement",
    "STGCN",
    "SemGAN",
    "SemGCN",
    "SimpleBaseline",
]
