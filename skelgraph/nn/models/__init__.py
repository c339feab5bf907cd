"""Lifting models, one paper a file: ``Model(skeleton, ...)``, then ``model(x)`` with ``x`` [..., J, C]."""

from skelgraph.nn.models.am_pose import AMPose
from skelgraph.nn.models.gcn import GCN
from skelgraph.nn.models.graformer import GraFormer
from skelgraph.nn.models.joint_former import JointFormer
from skelgraph.nn.models.large_simple_baseline import LargeSimpleBaseline
from skelgraph.nn.models.modulated_gcn import ModulatedGCN
from skelgraph.nn.models.part_lifter import PartLifter
from skelgraph.nn.models.sem_gan import SemGAN
from skelgraph.nn.models.sem_gcn import SemGCN
from skelgraph.nn.models.simple_baseline import SimpleBaseline
from skelgraph.nn.models.st_gcn import STGCN

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
