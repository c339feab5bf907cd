"""Rotation matrices are rotations, turn the way they say, and agree with each other."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skelgraph.geometry.rotations import about_x, about_y, about_z, cross_matrix, from_vector, rotate, to_euler_zxy

QUARTER = torch.tensor(torch.pi / 2)


def test_quarter_turns_take_each_axis_to_the_next():
    x, y, z = torch.eye(3)
    for turn, start, end in ((about_x, y, z), (about_y, z, x), (about_z, x, y)):
        torch.testing.assert_close(turn(QUARTER) @ start, end, atol=1e-6, rtol=0)


def test_rodrigues_agrees_with_the_axes_and_is_orthonormal():
    angle = torch.linspace(-3, 3, 13)
    for axis, turn in enumerate((about_x, about_y, about_z)):
        vector = torch.zeros(13, 3)
        vector[:, axis] = angle
        torch.testing.assert_close(from_vector(vector), turn(angle), atol=1e-6, rtol=0)
    matrix = from_vector(torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).expand(5, 7, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(5, 7), atol=1e-5, rtol=0)


def test_zero_vector_is_no_rotation():
    assert torch.equal(from_vector(torch.zeros(2, 3)), torch.eye(3).expand(2, 3, 3))


def test_rotate_turns_points_by_the_matrix_of_their_row():
    matrix, points = about_z(torch.tensor([0.0, torch.pi / 2])), torch.tensor([[[1.0, 0, 0]], [[1.0, 0, 0]]])
    torch.testing.assert_close(rotate(matrix, points)[:, 0], torch.tensor([[1.0, 0, 0], [0, 1, 0]]), atol=1e-6, rtol=0)


@settings(max_examples=50)
@given(st.tuples(*[st.floats(-180, 180)] * 3) | st.tuples(st.floats(-180, 180), st.sampled_from([-90, 90]), st.just(7)))
def test_angles_are_those_of_scipy(angles):
    turn = Rotation.from_euler("ZXY", angles, degrees=True)
    back = Rotation.from_euler(
        "ZXY", torch.rad2deg(to_euler_zxy(torch.from_numpy(turn.as_matrix()))).numpy(), degrees=True
    )
    assert (turn.inv() * back).magnitude() < 1e-5


def test_the_cross_matrix_is_the_cross_product_and_the_rotations_generator():
    v, u = torch.randn(2, 4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close((cross_matrix(v) @ u[..., None])[..., 0], torch.linalg.cross(v, u))
    torch.testing.assert_close(from_vector(v), torch.linalg.matrix_exp(cross_matrix(v)), rtol=0, atol=1e-12)
