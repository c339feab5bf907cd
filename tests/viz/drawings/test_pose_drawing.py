"""The picture of a pose: its frames, beside the keypoints it was lifted from."""

import numpy as np
import pytest
from clips import HEXAPOD, example, walk
from matplotlib.image import imread

from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz.drawings.pose_drawing import draw_pose


def test_draw_pose_has_input_and_two_views_of_chosen_frames(drawn, tmp_path):
    pose, keypoints = example(100)
    path = draw_pose(keypoints, pose, tmp_path / "a.png", truth=pose.joints)
    assert imread(path).std() > 0.01
    axes = drawn[0].axes
    assert len(axes) == 15
    assert [ax.get_title() for ax in axes[:5]] == [f"frame {f}  {(f - 1) / 25:.2f} s" for f in (6, 28, 51, 73, 95)]
    assert {ax.get_xlabel() for ax in axes[10:]} == {"MPJPE 0.0 mm"}


def test_draw_pose_without_input_and_for_one_frame(drawn, tmp_path):
    skeleton = HEXAPOD
    draw_pose(None, Pose3D(walk(1, skeleton), skeleton), tmp_path / "a.png")
    assert len(drawn[0].axes) == 2
    with pytest.raises(ValueError, match="no frames"):
        draw_pose(None, Pose3D(np.zeros((0, 7, 3)), skeleton), tmp_path / "b.png")
    with pytest.raises(ValueError, match="keypoints have 3 frames, the pose 4"):
        draw_pose(example(3)[1], example(4)[0], tmp_path / "b.png")
