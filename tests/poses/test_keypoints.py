import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as nps

from skelgraph.poses.keypoints import Keypoints

XY = np.arange(1, 13, dtype=float).reshape(2, 3, 2)


def test_points_without_confidence_or_finite_place_are_missing():
    values = np.concatenate([XY, np.ones((2, 3, 1))], axis=-1)
    values[0, 0, 0], values[0, 1, 1], values[1, 2, 2] = np.nan, np.inf, 0
    values[1, 1, 2] = np.nan
    keypoints = Keypoints.of(values)
    assert keypoints.missing.tolist() == [[True, True, False], [False, True, True]]
    assert np.isfinite(keypoints.xy).all() and (keypoints.xy[keypoints.missing] == 0).all()
    np.testing.assert_array_equal(keypoints.xy[~keypoints.missing], XY[~keypoints.missing])


@given(nps.arrays(np.float64, nps.array_shapes(min_dims=2, max_dims=2, max_side=5).map(lambda s: (*s, 3))))
def test_whatever_comes_in_is_finite_and_in_range(values):
    keypoints = Keypoints.of(values)
    assert np.isfinite(keypoints.xy).all()
    assert ((keypoints.confidence >= 0) & (keypoints.confidence <= 1)).all()


def test_one_frame_gets_a_frame_axis():
    assert Keypoints.of(XY[0]).xy.shape == (1, 3, 2)
    assert Keypoints.of(XY[0], confidence=[1, 0, 1]).missing.tolist() == [[False, True, False]]


def test_few_zeros_are_missing_many_are_refused():
    many = np.ones((10, 17, 2))
    many[3, 4] = 0
    assert Keypoints.of(many).missing.sum() == 1
    many[:5, 2] = 0
    with pytest.raises(ValueError, match=r"clip\.npz: 6 of 170 points \(3\.5%\).*missing.*frame 0 joint 2.*NaN"):
        Keypoints.of(many, source="clip.npz")


def test_zeros_with_confidence_are_the_confidence_to_judge():
    values = np.zeros((2, 3, 3))
    values[0, :, 2] = 1
    assert Keypoints.of(values).missing.tolist() == [[False] * 3, [True] * 3]


def test_the_array_handed_in_is_not_kept():
    values = XY.copy()
    keypoints = Keypoints.of(values)
    values[:] = 99
    np.testing.assert_array_equal(keypoints.xy, XY)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": np.zeros((2, 3, 4))}, r"\[2, 3, 4\]; expected"),
        ({"values": np.zeros(4)}, "expected"),
        ({"values": [[[1, 2], [3]]]}, "different lengths"),
        ({"values": np.array([[["a", "b"]]])}, "must be numbers"),
        ({"joints": ("a", "b")}, "3 joints but 2 names"),
        ({"joints": ("a", "b", "a")}, "duplicated: 'a'"),
        ({"joints": ("a", "b", "<img src=x onerror=alert(1)>")}, "must be 1 to 64"),
        ({"image_size": (0, 10)}, "image size"),
        ({"image_size": (float("nan"), 10)}, "image size"),
        ({"fps": -1.0}, "fps"),
        ({"confidence": np.ones((2, 2))}, r"expected \[F, J, 2\]"),
        ({"values": np.ones((2, 3, 3)), "confidence": np.ones((2, 3))}, "twice"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ValueError, match=message) as error:
        Keypoints.of(**{"values": XY, "source": "walk.npz", **fields})
    assert str(error.value).startswith("walk.npz:")
