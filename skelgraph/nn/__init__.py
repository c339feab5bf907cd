"""Layers, blocks, models, losses and metrics."""

from skelgraph.nn import blocks, layers, losses, metrics, models, published

__all__ = ["blocks", "layers", "losses", "metrics", "models", "published"]
