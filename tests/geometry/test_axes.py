import numpy as np
import pytest
from standing import standing

from skelgraph.geometry import axes

PRESETS = pytest.mark.parametrize("name", list(axes.PRESETS))


@PRESETS
def test_a_person_stands_upright_and_unmirrored_in_every_preset(name):
    pose, preset = standing(), axes.get(name)
    joints = dict(zip(pose.skeleton.joints, axes.from_camera(pose.joints, name)[0], strict=True))
    assert (joints["head"] - joints["left_ankle"]) @ preset.up > 1.5
    hand = np.linalg.det(preset.matrix)  # -1 where axes are left-handed
    left = hand * np.cross(preset.up, preset.facing)  # a cross product is mirrored in left-handed axes
    for joint in ("wrist", "hip", "ankle"):
        assert (joints[f"left_{joint}"] - joints[f"right_{joint}"]) @ left > 0.1
    assert hand == (-1 if name == "unity" else 1)


@pytest.mark.parametrize(
    ("name", "up", "facing", "left"),
    [
        ("camera", (0, -1, 0), (0, 0, -1), (1, 0, 0)),
        ("blender", (0, 0, 1), (0, -1, 0), (1, 0, 0)),
        ("unity", (0, 1, 0), (0, 0, 1), (-1, 0, 0)),
        ("opensim", (0, 1, 0), (1, 0, 0), (0, 0, -1)),
        ("y_up", (0, 1, 0), (0, 0, 1), (1, 0, 0)),
    ],
)
def test_where_the_axes_point(name, up, facing, left):
    preset = axes.get(name)
    np.testing.assert_array_equal(preset.up, up)
    np.testing.assert_array_equal(preset.facing, facing)
    np.testing.assert_array_equal(axes.from_camera((1, 0, 0), name), left)  # of a person who faces the camera


@PRESETS
def test_there_and_back_is_exact_and_lengths_stay(name):
    points = np.random.default_rng(0).normal(size=(3, 5, 3))
    there = axes.from_camera(points, name)
    np.testing.assert_array_equal(axes.to_camera(there, name), points)
    np.testing.assert_array_equal(axes.convert(there, name, "blender"), axes.from_camera(points, "blender"))
    np.testing.assert_allclose(np.linalg.norm(there, axis=-1), np.linalg.norm(points, axis=-1))


def test_errors_say_what_is_known():
    with pytest.raises(ValueError, match="unknown axes 'blendr'; did you mean 'blender'"):
        axes.get("blendr")
    with pytest.raises(ValueError, match="camera, blender, unity, opensim, y_up"):
        axes.get("qqq")
    with pytest.raises(ValueError, match=r"\[4, 2\]; expected \[..., 3\]"):
        axes.from_camera(np.zeros((4, 2)), "unity")


@pytest.mark.parametrize("up", axes.LEVEL)
def test_a_world_is_turned_by_right_angles_until_y_is_down_or_z_up(up):
    expected = np.zeros(3)
    expected["xyz".index(up[-1])] = -1 if up.startswith("-") else 1
    np.testing.assert_array_equal(axes.up_vector(up), expected)
    for turn, there in ((axes.y_down(up), [0, -1, 0]), (axes.z_up(up), [0, 0, 1])):
        np.testing.assert_array_equal(turn @ expected, there)
        np.testing.assert_array_equal(turn @ turn.T, np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_array_equal(axes.z_up("z"), np.eye(3))
