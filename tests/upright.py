"""A person to write into files: a stick figure that stands upright in a 1000 x 800 image."""

import numpy as np

from skelgraph.skeleton.builtin import COCO_WHOLEBODY

SIZE = (1000.0, 800.0)


def whole_body(frames: int = 3, seed: int = 0) -> np.ndarray:
    """[F, 133, 3]: x, y px and confidence of a COCO-WholeBody person, head up."""
    rng = np.random.default_rng(seed)
    height = {"ankle": 700, "knee": 560, "hip": 420, "shoulder": 200, "nose": 100, "eye": 90, "ear": 100, "toe": 730}
    y = np.array([next((v for k, v in height.items() if k in joint), 300) for joint in COCO_WHOLEBODY.joints])
    points = rng.uniform(-15, 15, (frames, 133, 2)) + np.stack([rng.uniform(450, 550, 133), y], axis=-1)
    return np.concatenate([points, rng.uniform(0.3, 1, (frames, 133, 1))], axis=-1)
