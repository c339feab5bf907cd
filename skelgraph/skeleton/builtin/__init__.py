"""The built-in skeletons: one constant a file, pure data."""

from skelgraph.files.messages import nearest
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin.blazepose import BLAZEPOSE
from skelgraph.skeleton.builtin.coco import COCO
from skelgraph.skeleton.builtin.coco_wholebody import COCO_WHOLEBODY
from skelgraph.skeleton.builtin.coco_wholebody_contours import COCO_WHOLEBODY_CONTOURS
from skelgraph.skeleton.builtin.coco_wholebody_palms import COCO_WHOLEBODY_PALMS
from skelgraph.skeleton.builtin.face import FACE
from skelgraph.skeleton.builtin.halpe26 import HALPE26
from skelgraph.skeleton.builtin.hand import HAND
from skelgraph.skeleton.builtin.human36m import HUMAN36M
from skelgraph.skeleton.builtin.human36m_16 import HUMAN36M_16
from skelgraph.skeleton.builtin.mpi_inf_3dhp import MPI_INF_3DHP
from skelgraph.skeleton.builtin.openpose_body25 import OPENPOSE_BODY25
from skelgraph.skeleton.builtin.openpose_coco18 import OPENPOSE_COCO18

__all__ = [
    "BLAZEPOSE",
    "COCO",
    "COCO_WHOLEBODY",
    "COCO_WHOLEBODY_CONTOURS",
    "COCO_WHOLEBODY_PALMS",
    "FACE",
    "HALPE26",
    "HAND",
    "HUMAN36M",
    "HUMAN36M_16",
    "MPI_INF_3DHP",
    "OPENPOSE_BODY25",
    "OPENPOSE_COCO18",
]


def get(name: str) -> Skeleton:
    """The built-in skeleton of a name, such as ``"HUMAN36M"``.

    Raises:
        ValueError: if there is none; the message gives the nearest name.
    """
    if name in __all__:
        skeleton: Skeleton = globals()[name]
        return skeleton
    raise ValueError(f"unknown skeleton {name!r}{nearest(name.upper(), __all__)}")
