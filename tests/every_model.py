"""The package's models by what they take."""

import inspect

from skelgraph.nn import models


def keypoint_models() -> list[str]:
    """Names of the models that take the 2D keypoints of one view."""
    kinds = {name: getattr(models, name) for name in models.__all__}
    return [name for name, model in kinds.items() if model.input_kind == "pose" and channels(model) == 2]


def channels(model: type) -> int:
    """How many channels a model takes by default."""
    return int(inspect.signature(model).parameters["in_channels"].default)
