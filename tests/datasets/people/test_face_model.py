"""The face is in proportion, symmetric, and its expressions move what they should."""

import numpy as np
import pytest
import torch

from skelgraph.datasets.people.face_model import NUM_TRAITS, Expression, face

JAW_TIP, NOSE_TIP, UPPER_LIP, LOWER_LIP = 8, 30, 62, 66
MIRROR = [16 - i for i in range(17)] + [43 - i for i in range(17, 27)] + [27, 28, 29, 30, 35, 34, 33, 32, 31]
MIRROR += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55]
MIRROR += [64, 63, 62, 61, 60, 67, 66, 65]


def make(traits=None, jaw=0.0, blink=0.0, smile=0.0, brow=0.0):
    traits = torch.zeros(1, NUM_TRAITS) if traits is None else traits
    full = (torch.full((len(traits),), value) for value in (jaw, blink, smile, brow))
    return face(traits, Expression(*full))


def test_mean_face_has_the_proportions_of_the_canonical_face(data_dir):
    with np.load(data_dir / "face68_canonical.npz") as file:
        canonical = torch.from_numpy(file["xyz_mm"]).double()
    ours = 1000 * make()[0].double()
    centered = ours - ours.mean(0)
    error = (centered - (canonical - canonical.mean(0))).norm(dim=-1)
    assert error.mean() < 4, "mean distance in mm, no scaling or turning"
    assert error[17:].mean() < 2.5, "brows, nose, eyes, mouth"


@pytest.mark.parametrize("seed", range(3))
def test_every_face_is_symmetric(seed):
    traits = 2 * torch.rand(20, NUM_TRAITS, generator=torch.Generator().manual_seed(seed)) - 1
    points = make(traits, jaw=0.7, smile=0.5, blink=0.3, brow=0.2)
    assert sorted(MIRROR) == list(range(68))
    torch.testing.assert_close(points[:, MIRROR] * torch.tensor([-1.0, 1, 1]), points, atol=1e-6, rtol=0)


def test_traits_change_every_part_and_keep_a_human_size():
    traits = 2 * torch.rand(500, NUM_TRAITS, generator=torch.Generator().manual_seed(0)) - 1
    points = make(traits)
    width, height = points[:, 16, 0] - points[:, 0, 0], points[:, 27, 1] - points[:, JAW_TIP, 1]
    assert 0.13 < width.min() and width.max() < 0.18
    assert 0.105 < height.min() and height.max() < 0.155
    assert (points.std(0).norm(dim=-1) > 5e-4).all()


def test_expressions():
    rest, jaw, blink, smile, brow = make(), make(jaw=1.0), make(blink=1.0), make(smile=1.0), make(brow=1.0)
    gap = (jaw[0, UPPER_LIP] - jaw[0, LOWER_LIP]).norm() - (rest[0, UPPER_LIP] - rest[0, LOWER_LIP]).norm()
    assert 0.015 < gap < 0.05
    assert jaw[0, JAW_TIP, 1] < rest[0, JAW_TIP, 1] - 0.01
    torch.testing.assert_close(jaw[0, 17:48], rest[0, 17:48])
    assert blink[0, 37, 1] - blink[0, 41, 1] < 0.2 * (rest[0, 37, 1] - rest[0, 41, 1])
    assert smile[0, 54, 0] > rest[0, 54, 0] and smile[0, 54, 1] > rest[0, 54, 1]
    assert (brow[0, 17:27, 1] > rest[0, 17:27, 1]).all()
