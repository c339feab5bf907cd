import numpy as np
import pytest
import torch
import walk

from skelgraph.geometry.axes import LEVEL, y_down
from skelgraph.geometry.cameras import Camera
from skelgraph.multiview.up_axis import up_axis


def test_cameras_show_which_way_is_up():
    rig = Camera.stack(list(walk.RIG.values()))
    assert up_axis(rig)[0] == "z"
    for axis, rows in LEVEL.items():
        turn = torch.from_numpy(y_down(axis).T @ y_down("z"))
        assert np.linalg.det(rows) == pytest.approx(1)
        assert up_axis(rig.in_turned_world(turn))[0] == axis
    lying = rig.turned(torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]))
    with pytest.raises(ValueError, match=r"up= one of x, y, z"):
        up_axis(lying)
