"""Skeletons: joints, bones and typed edges, as values and as graphs."""

from skelgraph.skeleton.skeleton import Skeleton

__all__ = ["Skeleton"]
