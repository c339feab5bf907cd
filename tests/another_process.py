"""What only a process shows that has not loaded the package: a report as JSON, of a fork or a fresh interpreter.

A fork forgets what shall not be loaded and keeps torch, whose import takes seconds.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import torch

LATE = ("torch_geometric", "networkx", "matplotlib")


def loaded(*names: str) -> list[str]:
    return [name for name in names if name in sys.modules]


def forget(*packages: str) -> dict[str, object]:
    """Takes packages out of what is loaded, and returns them."""
    names = [name for name in sys.modules if name.split(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


def report(picture: str) -> dict:
    forget("skelgraph", "matplotlib")
    kept = forget("torch_geometric", "networkx")
    sys.modules["fcntl"] = None  # type: ignore[assignment]  # as on Windows
    from skelgraph.skeleton import Skeleton, builtin

    with_skeletons = loaded(*LATE)
    sys.modules.update(kept)  # type: ignore[arg-type]
    import skelgraph.lifting.lift  # noqa: F401
    from skelgraph.datasets.synthetic import Synthetic
    from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton

    before = loaded("matplotlib")
    draw_skeleton(Skeleton("s", ["a", "b"], [-1, 0]), picture)
    drawn = Synthetic(builtin.COCO, num_poses=20).draw(4).target.double().sum().item()
    after = loaded("matplotlib", "matplotlib.pyplot")
    drawings = {"before drawing": before, "after drawing": after}
    fcntl = {"fcntl": sys.modules["fcntl"]}
    return {**drawings, **fcntl, "with skeletons": with_skeletons, "sum of synthetic poses": drawn}


def forked(folder: Path) -> dict:
    """The report of a fork."""
    child = os.fork()
    if not child:
        try:
            torch.set_num_threads(1)  # those of the parent are not there
            (folder / "report.json").write_text(json.dumps(report(str(folder / "a.png"))))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return json.loads((folder / "report.json").read_text())


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1])))
