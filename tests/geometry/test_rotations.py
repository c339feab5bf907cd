"""Rotation matrices are rotations, turn the way they say, and agree with each other."""

import torch

from skelgraph.geometry.rotations import about_x, about_y, about_z, from_vector, rotate

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
