"""The nearest rotation against scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skelgraph.geometry.alignment import nearest_rotation


@settings(max_examples=50)
@given(st.integers(0, 9999), st.integers(1, 4))
def test_the_nearest_rotation_is_a_rotation_and_that_of_scipy(seed, count):
    rng = np.random.default_rng(seed)
    rest, seen, weights = rng.normal(size=(count, 3)), rng.normal(size=(2, count, 3)), rng.uniform(0.1, 1, count)
    found = nearest_rotation(*map(torch.from_numpy, (rest, seen, weights))).numpy()
    np.testing.assert_allclose(found @ found.swapaxes(1, 2), np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found), 1)
    for matrix, vectors in zip(found, seen, strict=True):
        if count > 1:
            expected = Rotation.align_vectors(vectors, rest, weights)[0].as_matrix()
            np.testing.assert_allclose(matrix, expected, atol=1e-4)
        else:  # the shortest: by the angle between the two
            a, b = rest[0] / np.linalg.norm(rest[0]), vectors[0] / np.linalg.norm(vectors[0])
            np.testing.assert_allclose(matrix @ a, b, atol=1e-6)
            angle = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
            assert Rotation.from_matrix(matrix).magnitude() == pytest.approx(angle, abs=1e-4)


@pytest.mark.parametrize("seen", [(-1, 0, 0), (1, 0, 0), (0, 0, 0)])
def test_opposite_equal_and_no_bones_turn_too(seen):
    turn = nearest_rotation(
        torch.tensor([[1.0, 0, 0]]).double(), torch.tensor([seen]).double(), torch.ones(1).double()
    ).numpy()
    np.testing.assert_allclose(turn @ (1, 0, 0), seen if any(seen) else (1, 0, 0), atol=1e-6)
    assert np.linalg.det(turn) == pytest.approx(1)
