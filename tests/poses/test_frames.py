import pytest

from skelgraph.poses.frames import check_points, in_order


@pytest.mark.parametrize(
    ("keys", "places", "count"),
    [
        (["10.jpg", "9.jpg"], [1, 0], 2),
        ([3, 7, 4], [0, 4, 1], 5),
        (["cam2_008.png", "cam2_010.png"], [0, 2], 3),
        (["b", "a"], [0, 1], 2),
        (["a_2", "b_1"], [0, 1], 2),
        (["a_2", "a_02"], [0, 1], 2),
        ([5, 1000], [0, 1], 2),
        ([1000, 5, -3], [2, 1, 0], 3),
        (["1" * 300, "x" * 300], [0, 1], 2),
        ([], [], 0),
    ],
)
def test_frames_by_number_else_in_order(keys, places, count):
    order, frames = in_order(keys, "f")
    assert ([order[key] for key in keys], frames) == (places, count)


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="f: 1000001 frames"):
        in_order([*range(0, 1_000_001, 10), 1_000_000], "f")
    with pytest.raises(ValueError, match="f: 1000001 frames"):
        check_points(1_000_001, 1, 1, "f")
    with pytest.raises(ValueError, match="f: 2001 joints"):
        check_points(1, 2001, 1, "f")
    with pytest.raises(ValueError, match="split the file"):
        check_points(1_000_000, 133, 2, "f")
