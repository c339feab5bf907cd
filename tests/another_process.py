"""What only an interpreter of its own can show, all in one, since starting one takes seconds; prints it as JSON."""

import json
import sys


def loaded(*names: str) -> list[str]:
    return [name for name in names if name in sys.modules]


def main(picture: str) -> None:
    sys.modules["fcntl"] = None  # type: ignore[assignment]  # as on Windows
    from skelgraph.skeleton import Skeleton, builtin

    with_skeletons = loaded("torch_geometric", "networkx", "matplotlib")
    import skelgraph.lifting.lift  # noqa: F401
    from skelgraph.datasets.synthetic import Synthetic
    from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton

    before = loaded("matplotlib")
    draw_skeleton(Skeleton("s", ["a", "b"], [-1, 0]), picture)
    drawn = Synthetic(builtin.COCO, num_poses=20).draw(4).target.double().sum().item()
    after = loaded("matplotlib", "matplotlib.pyplot")
    drawings = {"before drawing": before, "after drawing": after}
    fcntl = {"fcntl": sys.modules["fcntl"]}
    print(json.dumps({**drawings, **fcntl, "with skeletons": with_skeletons, "sum of synthetic poses": drawn}))


if __name__ == "__main__":
    main(sys.argv[1])
