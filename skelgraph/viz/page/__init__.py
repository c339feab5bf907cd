"""A page to look at poses with: one HTML file of our own that plays and turns them, offline."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.files import atomic
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz.drawings import strokes
from skelgraph.viz.drawings.truth import centred_truth

_SCRIPTS = ("page_data.js", "page_view.js", "page_drawing.js", "page_words.js", "page.js")  # one script, in this order
Clip = TypeVar("Clip", Pose3D, Keypoints)
_MOST_FRAMES = 10_000
_LONGEST = 200  # characters of a title or summary entry, 64 of a name
_STEP_M, _STEP_PX, _STEP_MM = 5e-5, 0.05, 0.1  # coarsest int16 steps; beyond their range float32 is stored


def write_page(
    path: str | Path,
    pose: Pose3D,
    keypoints: Keypoints | None = None,
    truth: Pose3D | ArrayLike | None = None,
    title: str = "",
    *,
    model: str = "",
    name: str = "",
    others: Mapping[str, Pose3D] = MappingProxyType({}),
) -> Path:
    """Writes one self-contained HTML page: 2D keypoints beside the 3D poses, to play, scrub, turn and zoom.

    Each of several poses has a colour and a button that hides it; all are drawn about one origin or, if the reader
    wishes, side by side. Joints can be coloured by their error: the true one where there is a truth, else the poses'
    ``error_mm``.

    Of more than 10,000 frames only every second, third, ... is shown, so that the page stays light; it says so.

    The page loads nothing from anywhere. Names and titles reach it as JSON and are shown as text; its content security
    policy lets no script run but its own. The file appears whole or not at all.

    Args:
        path: the file to write; its folder must exist.
        pose: F frames of J joints, m; of a pose in a world what :meth:`Pose3D.as_seen` gives, as of all below.
        keypoints: the F frames of 2D that were lifted, px.
        truth: true joints [F, J, 3] in m, drawn over ``pose``; centred on the pose's origin first.
        title: shown on top; default the file name of the keypoints.
        model: what lifted the pose, shown in the summary.
        name: of the pose, beside its button; default the model.
        others: more poses by name, of other people or other models: F frames too, each of any skeleton.

    Returns:
        ``path``.

    Raises:
        ValueError: if keypoints, truth or another pose have other frames than the pose, or the truth other joints.
    """
    pose, frames = pose.as_seen(), pose.num_frames
    named = [(name or model or "pose", pose), *((called, each.as_seen()) for called, each in others.items())]
    for another, each in others.items():
        if each.num_frames != frames:
            raise ValueError(f"{another!r} has {each.num_frames} frames, {named[0][0]!r} {frames}")
    if keypoints is not None and keypoints.num_frames != frames:
        raise ValueError(f"keypoints have {keypoints.num_frames} frames, the pose {frames}")
    true = None if truth is None else centred_truth(pose, truth)
    summary = _summary(pose, model)
    step = -(-frames // _MOST_FRAMES)
    if step > 1:
        named = [(called, _every(each, step)) for called, each in named]
        true = None if true is None else true[::step]
        keypoints = None if keypoints is None else _every(keypoints, step)
        pose = named[0][1]
        summary.append(f"{pose.num_frames} of the frames shown")
    # The pose's own parts come first: the keypoints' joints point into them.
    parts = list(dict.fromkeys(part for _, each in named for part in each.skeleton.parts))
    block = {
        "title": _text(title or (Path(keypoints.source).name if keypoints else "") or pose.skeleton.name, _LONGEST),
        "summary": [_text(entry, _LONGEST) for entry in summary],
        "frames": pose.num_frames,
        "fps": pose.fps,
        "parts": [_text(part) for part in parts],
        "poses": [_pose(called, each, parts) for called, each in named],
        "truth": None if true is None else _pack(true, _STEP_M),
        "keypoints": None if keypoints is None else _keypoints(keypoints, pose),
    }
    atomic.write(Path(path), _fill(block))
    return Path(path)


def _every(shown: Clip, step: int) -> Clip:
    """Every ``step``-th frame of a pose or of keypoints."""
    changes: dict[str, Any] = {name: a[::step] for name, a in vars(shown).items() if isinstance(a, np.ndarray)}
    return replace(shown, **changes, fps=None if shown.fps is None else shown.fps / step)


def _summary(pose: Pose3D, model: str) -> list[str]:
    frames, count, _ = pose.joints.shape
    rate = f"{pose.fps:g} fps" if pose.fps else "fps unknown, played at 25"
    entries = [pose.skeleton.name, f"{count} joints", f"{frames} frame{'s' * (frames != 1)}", rate]
    return [*entries, f"unit {pose.unit}", *([f"model {model}"] if model else [])]


def _figure(drawn: strokes.Strokes) -> dict[str, Any]:
    return {"joints": [_text(j) for j in drawn.joints], "lines": drawn.lines, "side": drawn.side, "part": drawn.part}


def _pose(name: str, pose: Pose3D, parts: Sequence[str]) -> dict[str, Any]:
    drawn = strokes.of_skeleton(pose.skeleton)
    missing, error_mm = pose.missing, pose.error_mm
    return {
        "name": _text(name),
        "figure": _figure(drawn._replace(part=tuple(parts.index(drawn.parts[part]) for part in drawn.part))),
        "joints": _pack(pose.joints, _STEP_M),
        "missing": None if missing is None or not missing.any() else _pack(missing.astype(np.uint8)),
        "error_mm": None if error_mm is None else _pack(error_mm, _STEP_MM),
    }


def _keypoints(keypoints: Keypoints, pose: Pose3D) -> dict[str, Any]:
    seen = np.isfinite(keypoints.xy).all(axis=-1) & (keypoints.confidence > 0)
    # A joint with some confidence stays visible after rounding to 1/255.
    confidence = np.where(seen, np.clip(np.nan_to_num(keypoints.confidence) * 255, 1, 255), 0).round().astype(np.uint8)
    size = None if keypoints.image_size is None else [float(side) for side in keypoints.image_size]
    return {
        **_figure(strokes.of_joints(keypoints.joints, keypoints.num_joints, pose.skeleton)),
        "xy": _pack(np.where(seen[..., None], keypoints.xy, np.nan), _STEP_PX),
        "confidence": _pack(confidence),
        "image_size": size,
    }


def _pack(values: NDArray[Any], step: float = 1.0) -> dict[str, Any]:
    """Base64 of uint8 as they are, of numbers as int16 multiples of ``step`` where they fit, else float32."""
    if values.dtype == np.uint8:
        return {"type": "uint8", "base64": base64.b64encode(values.tobytes()).decode()}
    finite = np.isfinite(values)
    if np.abs(values, where=finite, out=np.zeros(values.shape)).max(initial=0) > 32767 * step:
        return {"type": "float32", "base64": base64.b64encode(values.astype("<f4").tobytes()).decode()}
    whole = np.where(finite, np.where(finite, values, 0) / step, -32768).round().astype("<i2")
    return {"type": "int16", "step": step, "base64": base64.b64encode(whole.tobytes()).decode()}


def _text(text: str, longest: int = 64) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _fill(block: dict[str, Any]) -> str:
    """The page with its parts in place; no part is searched for the names of others."""
    html, style = _asset("page.html"), _asset("page.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(block, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    parts = {"policy": policy, "style": style, "script": script, "data": text}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], html)


def _asset(name: str) -> str:
    return (resources.files("skelgraph.viz.page") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
