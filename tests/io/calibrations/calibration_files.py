"""One rig of four cameras written in every calibration format."""

import json
import math

import torch

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras

RIG = human36m_cameras(["S1"])[0]
METRES = {"m": 1, "cm": 0.01, "mm": 0.001}


def rotation_vector(R):
    """The inverse of Rodrigues' formula, for angles below pi."""
    angle = math.acos((float(R.trace()) - 1) / 2)
    axis = torch.stack([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    return (axis * angle / (2 * math.sin(angle))).tolist()


def opencv_fields(camera, unit):
    """K, distortion, R, rotation vector, t in ``unit``, size."""
    (k1, k2, k3), (p1, p2) = camera.k.tolist(), camera.p.tolist()
    t = (-(camera.R @ camera.T) / METRES[unit]).tolist()
    size = [int(side) for side in camera.image_size]
    return camera.K.tolist(), [k1, k2, p1, p2, k3], camera.R.tolist(), rotation_vector(camera.R), t, size


def own_fields(camera):
    values = {key: getattr(camera, key).tolist() for key in "RTfckp"}
    return {**values, **dict(zip(("width", "height"), map(int, camera.image_size), strict=True))}


def plain():
    return json.dumps({"unit": "m", "cameras": {camera.name: own_fields(camera) for camera in RIG}})


def panoptic():
    entries = []
    for camera in RIG:
        K, dist, R, _, t, size = opencv_fields(camera, "cm")
        entry = {"name": camera.name, "type": "hd", "resolution": size, "panel": 0, "node": 1, "K": K, "distCoef": dist}
        entries.append({**entry, "R": R, "t": [[value] for value in t]})
    return json.dumps({"calibDataSource": "x", "cameras": entries})


def toml(unit, more):
    text = ""
    for i, camera in enumerate(RIG):
        K, dist, _, rotation, t, size = opencv_fields(camera, unit)
        values = {"size": size, "matrix": K, "distortions": dist, "rotation": rotation, "translation": t}
        text += f'[cam_{i}]\nname = "{camera.name}"\n{more}' + "".join(f"{k} = {v}\n" for k, v in values.items()) + "\n"
    return text + "[metadata]\nadjusted = false\nerror = 0.0\n"


def easymocap_entries(camera):
    K, dist, R, rotation, t, (width, height) = opencv_fields(camera, "m")
    flat = lambda rows: [value for row in rows for value in row]  # noqa: E731
    matrices = {
        "K": (3, 3, flat(K)),
        "dist": (1, 5, dist),
        "Rot": (3, 3, flat(R)),
        "R": (3, 1, rotation),
        "T": (3, 1, t),
    }
    return matrices, {"W": width, "H": height}


def opencv(first="%YAML:1.0\n---\n", keep=("K", "dist", "Rot", "R", "T", "W", "H")):
    text = first + "names:\n" + "".join(f'   - "{camera.name}"\n' for camera in RIG)
    for camera in RIG:
        matrices, sizes = easymocap_entries(camera)
        for key, (rows, cols, data) in matrices.items():
            if key in keep:
                text += f"{key}_{camera.name}: !!opencv-matrix\n   rows: {rows}\n   cols: {cols}\n   dt: d\n"
                text += f"   data: {data}\n"
        text += "".join(f"{key}_{camera.name}: {value}\n" for key, value in sizes.items() if key in keep)
    return text


WRITTEN = {
    "plain": ("cameras.json", plain),
    "panoptic": ("calibration_171204_pose1.json", panoptic),
    "human36m": ("cameras.json", lambda: json.dumps({camera.name: own_fields(camera) for camera in RIG})),
    "pose2sim": ("Calib.toml", lambda: toml("m", "fisheye = false\n")),
    "anipose": ("calibration.toml", lambda: toml("mm", "")),
    "opencv": ("cameras.yml", opencv),
}


def write(folder, text, name="calibration"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def assert_is_the_rig(cameras, atol=1e-9):
    assert list(cameras) == [camera.name for camera in RIG]
    for true in RIG:
        found = cameras[true.name]
        assert isinstance(found, Camera) and found.name == true.name
        assert found.image_size.equal(true.image_size)
        for key in "RTfckp":
            torch.testing.assert_close(getattr(found, key), getattr(true, key), rtol=0, atol=atol)
