"""How the joints of the common rigs are called, and which of them are the 19 of our motion capture layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from skelgraph.files.messages import shortened

JOINTS = (
    *("pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax", "neck", "head"),
    *("l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist", "l_toe", "r_toe"),
)
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15, 6, 3)

MIDDLE, ABOVE_EYES = "middle", "above the eyes"
_LEFT_RIGHT, _L_R = ("left", "right"), ("l", "r")
_PREFIX = re.compile(r"^(mixamorig\d*|bip\d+|ccbase|valvebiped(bip\d+)?|character\d+)(?=.)")
_EYES = ("head lefteye righteye", "head leye reye", "head lefteyesmplhf righteyesmplhf")


class MocapRig(NamedTuple):
    """A way to name joints, in lower case, without namespace, prefix and separators; ``*`` is a side, ``|`` means or,
    ``a+b`` means b if there is an a too.

    ``sides`` are the words for left and right, tried in turn. ``Xend`` is X's end site, as
    :func:`skelgraph.io.motions.bvh.read` has it; ``eyes`` stand for the skull's joint and both eyes.
    """

    name: str
    sides: tuple[tuple[str, str], ...]
    hip: str
    knee: str
    ankle: str
    toe: str
    shoulder: str
    elbow: str
    wrist: str
    spine: str
    thorax: str = "neck"
    neck: str = "head"
    head: str = "headtopend|headend|headnub|eyes"


class Source(NamedTuple):
    """What a joint is made of: the joints of a file by their indices, and how: "" (it is the one), "middle" of two,
    "above the eyes" of three (skull, left eye, right eye)."""

    how: str
    indices: tuple[int, ...]


class RigMatch(NamedTuple):
    """The rig's name and the source of each of ``JOINTS``."""

    rig: str
    sources: Mapping[str, Source]


_ARM = ("*arm", "*forearm", "*hand")
_UPPER_ARM = ("*upperarm", "*lowerarm|*forearm", "*hand")
RIGS = (
    MocapRig(
        *("skelgraph", (_LEFT_RIGHT, _L_R), "*hip", "*knee", "*ankle", "*toe", "*shoulder", "*elbow", "*wrist"),
        *("spine", "thorax", "neck", "head"),
    ),
    # CMU's recordings as B. Hahne made them BVH: Spine is the upper end of the lower back
    MocapRig("CMU", (_LEFT_RIGHT,), "*upleg", "*leg", "*foot", "*toebase|*footend", *_ARM, "lowerback+spine"),
    MocapRig(
        "MotionBuilder", (_LEFT_RIGHT,), "*upleg", "*leg", "*foot", "*toebase|*toe|*footend", *_ARM, "spine1|spine"
    ),
    MocapRig("Rokoko", (_LEFT_RIGHT,), "*thigh", "*shin", "*foot", "*toe|*footend", *_ARM, "spine2|spine1"),
    MocapRig(
        *("Xsens", (_LEFT_RIGHT,), "*hip", "*knee", "*ankle", "*toe|*ankleend", "*shoulder", "*elbow", "*wrist"),
        "chest2|chest",
    ),
    MocapRig("Xsens segments", (_LEFT_RIGHT,), "*upperleg", "*lowerleg", "*foot", "*toe", *_UPPER_ARM, "l3"),
    MocapRig("Unity", (_LEFT_RIGHT,), "*upperleg", "*lowerleg", "*foot", "*toes|*footend", *_UPPER_ARM, "chest|spine"),
    MocapRig(
        "SMPL", (_LEFT_RIGHT, _L_R), "*hip", "*knee", "*ankle", "*foot", "*shoulder", "*elbow", "*wrist", "spine1"
    ),
    MocapRig("Biped", (_L_R,), "*thigh", "*calf", "*foot", "*toe0|*footend", *_UPPER_ARM, "spine1|spine"),
    MocapRig(
        "Character Creator", (_L_R,), "*thigh", "*calf", "*foot", "*toebase", *_UPPER_ARM, "spine01", "necktwist01"
    ),
    MocapRig(
        *("Unreal", (_L_R,), "thigh*", "calf*", "foot*", "ball*", "upperarm*", "lowerarm*", "hand*"),
        *("spine02", "neck01|neck"),
    ),
    MocapRig("Poser", (_L_R,), "*thigh", "*shin", "*foot", "*toe|*footend", "*shldr", "*forearm", "*hand", "abdomen"),
)


def find(names: Sequence[str]) -> RigMatch:
    """Which of ``RIGS`` has joints of these names, the first of which all are there, and where they are.

    Raises:
        ValueError: if none has: naming the nearest rig, what it lacks and the names that are there; if a name that
            counts stands twice.
    """
    places: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        places.setdefault(plain(name), []).append(index)
    nearest: tuple[list[str], str] | None = None
    for name, wanted in ((rig.name, _wanted(rig, sides)) for rig in RIGS for sides in rig.sides):
        found = {joint: _found(choices, places) for joint, choices in wanted.items()}
        lacking = [f"{joint} ({wanted[joint]})" for joint, chosen in found.items() if not chosen]
        if not lacking:
            return _match(name, found, places, names)
        if nearest is None or len(lacking) < len(nearest[0]):
            nearest = lacking, name
    lacking, name = nearest or ([], "")
    raise ValueError(
        f"no known rig; the nearest, {name}, has joints that are missing here: {shortened(lacking, 8)}; here are: "
        f"{shortened([name for name in names if not name.endswith('_end')], 30)}"
    )


def plain(name: str) -> str:
    """A joint's name in lower case, without namespace, known prefix and separators."""
    return _PREFIX.sub("", re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower()))


def _wanted(rig: MocapRig, sides: tuple[str, str]) -> dict[str, str]:
    """The names that each joint but the pelvis may have."""
    parts = ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")
    both = zip("lr", sides, strict=True)
    limbs = {f"{letter}_{part}": getattr(rig, part).replace("*", side) for letter, side in both for part in parts}
    return limbs | {part: getattr(rig, part) for part in ("spine", "thorax", "neck", "head")}


def _found(wanted: str, places: Mapping[str, list[int]]) -> str:
    """The first of the wanted names that is there; for ``a+b``, b where a is there too; "" if none is."""
    for choice in wanted.split("|"):
        if all(name in places for name in choice.split("+")):
            return choice.split("+")[-1]
        if choice == "eyes":
            return next((eyes for eyes in _EYES if all(name in places for name in eyes.split())), "")
    return ""


def _match(rig: str, found: Mapping[str, str], places: Mapping[str, list[int]], names: Sequence[str]) -> RigMatch:
    sources = {}
    for joint, chosen in found.items():
        indices = tuple(_only(name, places, names) for name in chosen.split())
        sources[joint] = Source(ABOVE_EYES if len(indices) > 1 else "", indices)
    sources["pelvis"] = Source(MIDDLE, (*sources["l_hip"].indices, *sources["r_hip"].indices))
    return RigMatch(rig, sources)


def _only(name: str, places: Mapping[str, list[int]], names: Sequence[str]) -> int:
    if len(places[name]) > 1:
        twice = ", ".join(names[i] for i in places[name][:5])
        raise ValueError(f"{len(places[name])} joints may be {name!r}: {twice}; each person needs a file")
    return places[name][0]
