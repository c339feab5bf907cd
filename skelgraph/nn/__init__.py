"""Layers, blocks, models, losses and metrics."""
