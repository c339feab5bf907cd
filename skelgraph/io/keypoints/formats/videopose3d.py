"""VideoPose3D's npz: Detectron's output (``infer_video_d2.py``) and ``data_2d_custom_*.npz``, as plain arrays.

| array | shape | |
|---|---|---|
| ``positions_2d`` | [F, 17, 2 or 3] or [F, P, 17, 2 or 3] of P people | px; the third number is the confidence |
| ``keypoints``, beside ``boxes`` | [F, P, 4, 17] | rows x, y, logit, probability |
| ``image_size`` | [2] | optional: width, height, px |
| ``fps`` | number | optional |

NaN marks what is missing; joints are COCO's; people are in the file's order, in which Detectron2 puts the surest first.
The files that VideoPose3D itself writes hold Python objects (pickle), which can run code: they are refused with a
snippet that makes a plain file of one that is trusted. Source: VideoPose3D, inference/infer_video_d2.py and
data/prepare_data_2d_custom.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import npz
from skelgraph.io.keypoints import arrays
from skelgraph.poses import frames
from skelgraph.poses.people import People
from skelgraph.skeleton.builtin import COCO

NAME = "videopose3d"
TAKES = frozenset({"npz file"})
SNIPPETS = {
    "keypoints": """\
import numpy as np
d = np.load({path!r}, allow_pickle=True, encoding="latin1")
found = [frame[1] for frame in d["keypoints"]]
xyc = np.full((len(found), max(map(len, found)), 17, 3), np.nan)
for f, people in enumerate(found):
    for p, rows in enumerate(people):
        xyc[f, p] = np.asarray(rows)[[0, 1, 3]].T
size = d["metadata"].item()
np.savez("plain.npz", positions_2d=xyc, image_size=[size["w"], size["h"]])""",
    "positions_2d": """\
import numpy as np
d = np.load({path!r}, allow_pickle=True, encoding="latin1")
subjects = d["positions_2d"].item()
videos = d["metadata"].item().get("video_metadata", {{}})
for subject, actions in subjects.items():
    for action, cameras in actions.items():
        for camera, xy in enumerate(cameras):
            size = videos.get(subject)
            known = {{"image_size": [size["w"], size["h"]]}} if size else {{}}
            np.savez(f"plain_{{subject}}_{{action}}_{{camera}}.npz", positions_2d=xy, **known)""",
}


def matches(path: Path, content: Any) -> bool:
    names = set(content or ())
    return "positions_2d" in names or {"keypoints", "boxes"} <= names


def read(path: Path, content: Any) -> People:
    """Reads the plain arrays above.

    Raises:
        FormatError: naming the file and the array; for Python objects with a snippet that converts the file.
    """
    try:
        found = npz.read(path)
    except ValueError as error:
        if "dtype object" not in str(error):
            raise
        field = "positions_2d" if "positions_2d" in (content or ()) else "keypoints"
        raise FormatError(
            f"{path}: holds Python objects (pickle), which can run any code and are not read. If you trust the file, "
            f"make a plain one of it with\n\n{SNIPPETS[field].format(path=str(path))}\n"
        ) from None
    values = _positions(found, str(path))
    frames.check_points(len(values), 17, values.shape[1], str(path))
    size, fps = arrays.size_and_fps(found, str(path))
    points = arrays.with_confidence(values, arrays.visible(values))
    return People.by_place(points, COCO.joints, image_size=size, fps=fps, source=str(path))


def _positions(found: dict[str, NDArray[Any]], source: str) -> NDArray[np.float64]:
    """[F, P, 17, 2 or 3]"""
    for field, fits in {"positions_2d": ((17, 2), (17, 3)), "keypoints": ((4, 17),)}.items():
        if field not in found:
            continue
        array = found[field]
        if array.dtype.kind not in "fiu" or array.ndim not in (3, 4) or array.shape[-2:] not in fits:
            expected = " or ".join(f"[F, {a}, {b}], [F, P, {a}, {b}]" for a, b in fits)
            raise FormatError(f"{source}: {field} is {array.dtype} {list(array.shape)}; expected numbers {expected}")
        with np.errstate(over="ignore"):
            values = array.astype(np.float64)
        values = values[:, None] if values.ndim == 3 else values
        return values[:, :, [0, 1, 3]].swapaxes(2, 3) if field == "keypoints" else values
    listed = ", ".join(f"{name} {list(array.shape)}" for name, array in list(found.items())[:10])
    raise FormatError(
        f"{source}: expected an array 'positions_2d' [F, 17, 2 or 3], or 'keypoints' [F, P, 4, 17] beside 'boxes'; "
        f"the file holds {listed or 'nothing'}"
    )
