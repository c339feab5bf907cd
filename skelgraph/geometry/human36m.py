"""The cameras of Human3.6M.

Source: Ionescu et al., "Human3.6M", TPAMI 2014. World axes: z up, metres. Their k and p are OpenCV's k1, k2, k3 and
p1, p2, but their own code leaves out the 2 before p1 x y, which makes up to 1.5 px, in the corners of the image.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

from skelgraph.geometry.cameras import Camera

SESSIONS = ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10")
"""One per subject."""
SERIALS = ("54138969", "55011271", "58860488", "60457274")
"""Serial numbers of the four cameras, which stood elsewhere in each session."""


def human36m_cameras(sessions: Sequence[str] = SESSIONS, serials: Sequence[str] = SERIALS) -> Camera:
    """Cameras of Human3.6M by session and serial number, ``[S, V]``, float64, named ``S1/54138969`` and so on.

    Example:
        >>> human36m_cameras(["S1"])[0].names
        ('S1/54138969', 'S1/55011271', 'S1/58860488', 'S1/60457274')

    Args:
        sessions: S of :data:`SESSIONS`.
        serials: V of :data:`SERIALS`.

    Raises:
        ValueError: for a session or serial number that is not there.
    """
    _check("session", sessions, SESSIONS)
    check_serials(serials)
    rows = [SESSIONS.index(name) for name in sessions]
    columns = [SERIALS.index(name) for name in serials]
    return _all()[[[row] for row in rows], [columns]]


def check_serials(serials: Sequence[str]) -> None:
    """Refuses serial numbers that no camera of Human3.6M has.

    Raises:
        ValueError: naming them and those that there are.
    """
    _check("serial number", serials, SERIALS)


def _check(what: str, asked: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in asked if name not in known]
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise ValueError(f"no camera of Human3.6M has the {what} {names}; known: {', '.join(known)}")


@cache
def _all() -> Camera:
    content = json.loads((resources.files("skelgraph.geometry") / "human36m_cameras.json").read_text("utf-8"))
    views, lenses = content["views"], content["intrinsics"]
    lens = [lenses[serial] for serial in SERIALS]
    places = [[views[f"{session}/{serial}"] for serial in SERIALS] for session in SESSIONS]
    return Camera(
        *([[place[key] for place in row] for row in places] for key in "RT"),
        *([[each[key] for each in lens]] for key in "fckp"),
        image_size=[[(each["width"], each["height"]) for each in lens]],
        names=[f"{session}/{serial}" for session in SESSIONS for serial in SERIALS],
    )
