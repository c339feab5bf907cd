"""Lifting models, one paper a file: ``Model(skeleton, ...)``, then ``model(x)`` with ``x`` [..., J, C]."""

from skelgraph.models.am_pose import AMPose
from skelgraph.models.gcn import GCN
from skelgraph.models.graformer import GraFormer
from skelgraph.models.joint_former import JointFormer
from skelgraph.models.large_simple_baseline import LargeSimpleBaseline
from skelgraph.models.modulated_gcn import ModulatedGCN
from skelgraph.models.part_lifter import PartLifter
from skelgraph.models.sem_gan import SemGAN
from skelgraph.models.sem_gcn import SemGCN
from skelgraph.models.simple_baseline import SimpleBaseline
from skelgraph.models.st_gcn import STGCN

__all__ = [
    "AMPose",
    "GCN",
    "GraFormer",
    "JointFormer",
    "LargeSimpleBaseline",
    "ModulatedGCN",
    "PartLifter",
    "STGCN",
    "SemGAN",
    "SemGCN",
    "SimpleBaseline",
]
