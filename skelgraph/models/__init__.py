"""Lifting models, one paper a file: ``Model(skeleton, ...)``, then ``model(x)`` with ``x`` [..., J, C]."""

from skelgraph.models.am_pose import AMPose
from skelgraph.models.sem_gan import SemGAN
from skelgraph.models.sem_gcn import SemGCN
from skelgraph.models.simple_baseline import SimpleBaseline

__all__ = ["AMPose", "SemGAN", "SemGCN", "SimpleBaseline"]
