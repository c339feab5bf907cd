"""A trained lifter as one ONNX file, from px to metres, for programs without PyTorch."""

from __future__ import annotations

import copy
import importlib
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph.errors import MissingExtraError
from skelgraph.files import atomic
from skelgraph.lifting import weights
from skelgraph.nn.inputs import flip_input, flip_pose, model_input
from skelgraph.nn.models import check_model
from skelgraph.nn.output import as_output
from skelgraph.poses.pose3d import AXES, UNIT
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on
from skelgraph.training.checkpoint import Which, load_run
from skelgraph.training.plugins import Plugins
from skelgraph.version import __version__

INPUTS, FOCAL, OUTPUTS = ("keypoints", "confidence", "image_size"), "focal", ("pose", "error")
TOLERANCE = 1e-4  # m
_EXTRA = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class ExportSummary:
    """The file, the shape of each input and output (a name is a size that may vary), and the largest difference between
    ONNX Runtime and PyTorch in the check, m."""

    path: Path
    inputs: Mapping[str, Sequence[int | str]]
    outputs: Mapping[str, Sequence[int | str]]
    difference: float

    def __str__(self) -> str:
        given = [("input", *each) for each in self.inputs.items()] + [
            ("output", *each) for each in self.outputs.items()
        ]
        lines = [f"{way}: {name} [{', '.join(map(str, shape))}] float32" for way, name, shape in given]
        checked = f"largest difference between ONNX Runtime and PyTorch: {self.difference:.1e} m"
        return "\n".join([*lines, checked, f"written: {self.path}"])


class PixelsToMetres(nn.Module):
    """What :class:`skelgraph.lifting.lifter.Lifter` does with frames of the model's joints; see :func:`export`."""

    def __init__(self, model: Any, skeleton: Skeleton) -> None:
        super().__init__()
        self.model, self.skeleton, self.in_channels = model, skeleton, model.in_channels
        self.inputs = (*INPUTS, FOCAL) if self.in_channels == 4 else INPUTS
        self.register_buffer("flip_index", skeleton.flip_index, persistent=False)

    def forward(
        self, keypoints: Tensor, confidence: Tensor, image_size: Tensor, focal: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """[B, J, 2] px, [B, J], [2] px and, for models that take it, [1] px to the pose [B, J, 3] in m and, where the
        model gives one, the error."""
        x_finite, y_finite = keypoints.isfinite().unbind(-1)  # all(-1) of no frame fails in ONNX Runtime
        seen = x_finite & y_finite & (confidence > 0)
        x = model_input(keypoints, torch.where(seen, confidence.clamp(0, 1), 0), image_size, self.in_channels, focal)
        index, flip = self.get_buffer("flip_index"), bool(self.skeleton.pairs)
        # both in one call, so that the file holds the model's operations once
        output = as_output(self.model(torch.cat([x, flip_input(x, index)]) if flip else x))
        pose, error = output.pose.float(), output.error
        if flip:
            straight, mirrored = pose.unflatten(0, (2, -1))
            pose = (straight + flip_pose(mirrored, index)) / 2
        if flip and error is not None:
            straight, mirrored = error.unflatten(0, (2, -1))
            error = (straight + mirrored.index_select(-2, index)) / 2  # a size, so that of x keeps its sign
        pose = center_on(pose, self.skeleton.origin)
        return (pose,) if error is None else (pose, error.float())


def export(run: str | Path, path: str | Path, which: Which | None = None, plugins: Plugins = ()) -> ExportSummary:
    r"""Writes a trained model as an ONNX file that gives what ``skelgraph.load(run)`` gives.

    .. math:: y = \mathrm{center}\big(\tfrac{1}{2} (f(x) + M f(M x))\big), \quad
        x = (2 u / w - 1,\; 2 v / w - h / w), \text{ or } 0 \text{ where a joint is missing; } M \text{ mirrors}

    Inputs, float32: ``keypoints`` [B, J, 2], px; ``confidence`` [B, J], cut off at 1, where 0, or a keypoint that is
    not finite, marks a missing joint; ``image_size`` [2], width and height, px; for models of 4 input channels
    ``focal`` [1], px, 0 where it is not known. Outputs: ``pose`` [B, J, 3], m, camera
    frame, relative to the mean of the origin joints; ``error`` [B, J, 3], m, where the model foretells its error,
    averaged with the mirrored input's as the pose is. B is free. Metadata: ``skeleton``, ``joints`` and ``origin``
    (JSON lists of names), ``unit``, ``axes``, ``skelgraph`` (the version).

    Not inside: matching joints by name, taking (0, 0) for missing, and the checks of what looks wrong.

    Args:
        run: as of :func:`skelgraph.load`.
        path: the file to write, NAME.onnx, replaced if it is there.
        which: which checkpoint of a folder; default the last.
        plugins: packages, as modules or by name, whose ``__all__`` the model's name may come from.

    Raises:
        FileNotFoundError: if there is no checkpoint.
        MissingExtraError: if the extra ``onnx`` is not installed.
        CheckpointError: if the checkpoint is damaged.
        ValueError: if the model takes several frames, cannot be written as one file below 2 GB, or gives something
            else there (by over 0.1 mm).
        OSError: disk full, read-only folder. Whatever is raised, nothing is written.
    """
    model, skeleton, _ = load_run(weights.find(run), which, plugins=plugins)
    return export_model(model, skeleton, path)


def export_model(model: Any, skeleton: Skeleton, path: str | Path) -> ExportSummary:
    """As :func:`export`, of a model in memory, which stays as it is."""
    path, name = Path(path), type(model).__name__
    if path.suffix != ".onnx" or path.is_dir():
        raise ValueError(f"{path}: expected a file whose name ends in .onnx")
    if check_model(model).input_kind != "pose":
        raise ValueError(
            f"{name} takes {model.input_kind} of {model.num_frames} frames; only single-frame models can be exported"
        )
    try:
        runtime: Any = [importlib.import_module(each) for each in _EXTRA][-1]
    except ImportError as error:
        raise MissingExtraError(f"export needs {', '.join(_EXTRA)}: pip install 'skelgraph[onnx]' ({error})") from None
    graph = PixelsToMetres(copy.deepcopy(model).cpu(), skeleton).eval()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        content = _onnx(graph, skeleton)
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        difference = max(_difference(graph, session, _random(size, graph)) for size in (1, 5))
    except Exception as error:  # the model's, torch's, ONNX Runtime's, protobuf's from 2 GB on: no base in common
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"{name} cannot be exported for any number of frames B: {reason}") from error
    if not difference <= TOLERANCE:
        raise ValueError(f"{name}: ONNX Runtime and PyTorch differ by {difference:.1e} m; nothing is written")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, content)
    inputs, outputs = ({v.name: tuple(v.shape) for v in some} for some in (session.get_inputs(), session.get_outputs()))
    return ExportSummary(path, inputs, outputs, difference)


@torch.no_grad()
def _onnx(graph: PixelsToMetres, skeleton: Skeleton) -> bytes:
    """The file's content."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    example, batch, logger = _random(3, graph), torch.export.Dim("B"), logging.getLogger("torch.onnx")
    shapes = ({0: batch}, {0: batch}, *(None for _ in graph.inputs[2:]))
    outputs = OUTPUTS[: len(graph(*example))]
    options: dict[str, Any] = {"input_names": graph.inputs, "output_names": outputs, "dynamic_shapes": shapes}
    level = logger.level
    logger.setLevel(logging.ERROR)  # what torch warns of here is its own affair
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Captured here: torch.onnx.export's own ways take len(x) for a constant, the last of them silently.
            captured = torch.export.export(graph, example, dynamic_shapes=shapes, strict=True)
            program: Any = torch.onnx.export(captured, example, dynamo=True, verbose=False, **options)
    finally:
        logger.setLevel(level)
    ClearMetadataAndDocStringPass()(program.model)  # torch notes the paths of source files there
    origin = json.dumps([skeleton.joints[i] for i in skeleton.origin])
    about = {"skeleton": skeleton.name, "joints": json.dumps(skeleton.joints), "origin": origin}
    program.model.metadata_props.update(about, unit=UNIT, axes=AXES, skelgraph=__version__)
    content: bytes = program.model_proto.SerializeToString()
    return content


def _random(size: int, graph: PixelsToMetres) -> tuple[Tensor, ...]:
    """Keypoints, a tenth of them not finite, confidence, a tenth 0, and image size and focal length, which vary too."""
    generator = torch.Generator().manual_seed(size)
    image_size = torch.tensor([640.0 + 100 * size, 480.0])
    keypoints = torch.rand(size, graph.skeleton.num_joints, 2, generator=generator) * image_size
    chance, confidence = torch.rand(2, size, graph.skeleton.num_joints, generator=generator)
    keypoints[chance < 0.1] = torch.nan
    given = (keypoints, torch.where(chance > 0.9, 0, confidence), image_size, torch.tensor([300.0 * size]))
    return given[: len(graph.inputs)]


@torch.no_grad()
def _difference(graph: PixelsToMetres, session: Any, given: Sequence[Tensor]) -> float:
    """The largest over all outputs, m; not a number if one of them holds any."""
    found = session.run(None, {name: value.numpy() for name, value in zip(graph.inputs, given, strict=True)})
    pairs = zip(found, graph(*given), strict=True)
    return float(torch.stack([(torch.from_numpy(a) - b).abs().max() for a, b in pairs]).max())


__all__ = ["ExportSummary", "PixelsToMetres", "export", "export_model"]
