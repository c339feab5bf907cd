"""Human skeletons as graphs: 2D keypoints to 3D poses with graph networks.

    >>> import skelgraph
    >>> skelgraph.lift("walk.json", "out", fov=60)                     # files in, files out
    >>> lifter = skelgraph.load("body")                                # or a run folder
    >>> pose = lifter(keypoints, image_size=(1920, 1080))              # arrays in, a Pose3D out

Importing this loads nothing else: each name below is imported when it is first used, PyTorch with it (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from skelgraph.version import __version__

if TYPE_CHECKING:
    from skelgraph import datasets, errors, nn
    from skelgraph.geometry.cameras import Camera
    from skelgraph.geometry.triangulation import triangulate
    from skelgraph.io.calibrations import read as read_calibration
    from skelgraph.io.keypoints import read as read_keypoints
    from skelgraph.io.motions import read_motion
    from skelgraph.io.poses import write as write_pose
    from skelgraph.lifting.lift import lift
    from skelgraph.lifting.lifter import Lifter, load
    from skelgraph.lifting.onnx_export import export
    from skelgraph.lifting.options import LiftOptions
    from skelgraph.lifting.packing import pack
    from skelgraph.multiview.recording import Recording
    from skelgraph.poses.keypoints import Keypoints
    from skelgraph.poses.pose3d import Pose3D
    from skelgraph.skeleton import Skeleton
    from skelgraph.skeleton import builtin as skeletons
    from skelgraph.training.config import read as read_experiment
    from skelgraph.training.evaluate import evaluate
    from skelgraph.training.train import fit as train
    from skelgraph.training.train import resume
    from skelgraph.viz.drawings.pose_drawing import draw_pose
    from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton
    from skelgraph.viz.page import write_page

_HOMES = {
    "Camera": "geometry.cameras:Camera",
    "Keypoints": "poses.keypoints:Keypoints",
    "LiftOptions": "lifting.options:LiftOptions",
    "Lifter": "lifting.lifter:Lifter",
    "Pose3D": "poses.pose3d:Pose3D",
    "Recording": "multiview.recording:Recording",
    "Skeleton": "skeleton:Skeleton",
    "datasets": "datasets:",
    "draw_pose": "viz.drawings.pose_drawing:draw_pose",
    "draw_skeleton": "viz.drawings.skeleton_drawing:draw_skeleton",
    "errors": "errors:",
    "evaluate": "training.evaluate:evaluate",
    "export": "lifting.onnx_export:export",
    "lift": "lifting.lift:lift",
    "load": "lifting.lifter:load",
    "nn": "nn:",
    "pack": "lifting.packing:pack",
    "read_experiment": "training.config:read",
    "read_calibration": "io.calibrations:read",
    "read_keypoints": "io.keypoints:read",
    "read_motion": "io.motions:read_motion",
    "resume": "training.train:resume",
    "skeletons": "skeleton.builtin:",
    "train": "training.train:fit",
    "triangulate": "geometry.triangulation:triangulate",
    "write_page": "viz.page:write_page",
    "write_pose": "io.poses:write",
}
"""Where each name is: MODULE:NAME, or MODULE: for the module itself. The block above says the same to type checkers."""

__all__ = [
    "Camera",
    "Keypoints",
    "LiftOptions",
    "Lifter",
    "Pose3D",
    "Recording",
    "Skeleton",
    "__version__",
    "datasets",
    "draw_pose",
    "draw_skeleton",
    "errors",
    "evaluate",
    "export",
    "lift",
    "load",
    "nn",
    "pack",
    "read_calibration",
    "read_experiment",
    "read_keypoints",
    "read_motion",
    "resume",
    "skeletons",
    "train",
    "triangulate",
    "write_page",
    "write_pose",
]


if not TYPE_CHECKING:  # type checkers would take every name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'skelgraph' has no attribute {name!r}")
        module, _, attribute = _HOMES[name].partition(":")
        value: Any = importlib.import_module(f"skelgraph.{module}")
        if attribute:
            value = getattr(value, attribute)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
