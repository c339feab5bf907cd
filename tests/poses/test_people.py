import numpy as np
import pytest

from skelgraph.errors import FormatError, SeveralPeopleError
from skelgraph.poses.people import Detection, People, track_id

JOINTS = ("hip", "head")


def one(value: float, track: int | None = None, at: float = 0.0) -> Detection:
    """A person who is found again by tracking at the same place ``at``; ``value`` is its confidence."""
    return Detection(track, np.array([[at, 10, value], [at + 5, 90, value]]))


def people(frames, source="f") -> People:
    return People.of(frames, JOINTS, source=source)


def confidences(keypoints) -> list[float]:
    return [round(float(value), 3) for value in keypoints.confidence[:, 0]]


def test_the_only_person_is_taken_and_frames_without_are_missing():
    only = people([[one(0.1)], [], [one(0.3)]])
    assert confidences(only.choose()) == confidences(only.choose("largest")) == [0.1, 0, 0.3]
    assert only.choose().person is None and only.choose(0).person == 0 and not only.crowded.size


def test_several_people_ask_for_a_choice():
    frames = [[one(0.1)], [one(0.2), one(0.3, at=900)], [one(0.4, at=5000)]]
    several = people(frames, "f.json")
    assert several.crowded.tolist() == [1] and several.ids_from == "first appearance"
    with pytest.raises(SeveralPeopleError, match=r"f\.json: frame 1 .* 2 people.*person=N \(people 0 to 2, by first"):
        several.choose()
    assert [confidences(each) for each in several.everybody()] == [[0.1, 0.2, 0], [0, 0.3, 0], [0, 0, 0.4]]


def test_a_choice_is_a_place_where_places_say_who_it_is():
    points = np.array([[one(0.1).joints, one(0.2).joints], [one(0.3).joints, np.zeros((2, 3))]])
    by_place = People.by_place(points, JOINTS, source="f", names=("Ann", "Bob"))
    assert confidences(by_place.choose(1)) == [0.2, 0] and confidences(by_place.choose(0)) == [0.1, 0.3]
    with pytest.raises(SeveralPeopleError, match=r"0 \(Ann\), 1 \(Bob\)"):
        by_place.choose()


def test_a_choice_is_a_track_id_where_every_detection_has_one():
    tracked = people([[one(0.1, 7), one(0.2, 4)], [one(0.3, 4), one(0.4, 7)], [one(0.5, 9)]])
    assert tracked.ids == (4, 7, 9) and confidences(tracked.choose(7)) == [0.1, 0.4, 0]
    with pytest.raises(ValueError, match=r"no person 0; .*track ids 4, 7, 9"):
        tracked.choose(0)
    with pytest.raises(SeveralPeopleError, match="track ids 4, 7, 9"):
        tracked.choose()
    assert people([[one(0.1, 7), one(0.2)]]).ids == (0, 1)


def test_without_crowded_frames_all_are_one_person_whatever_their_ids():
    assert confidences(people([[one(0.1, 3)], [one(0.2, 4)]]).choose()) == [0.1, 0.2]


def test_the_largest_is_chosen_by_size_in_all_frames():
    small, large = np.array([[0, 0, 1], [5, 5, 1.0]]), np.array([[500, 0, 1], [500, 40, 1.0]])
    crowd = people([[Detection(None, small), Detection(None, large)], [Detection(None, small)]])
    assert crowd.choose("largest").person == 1


@pytest.mark.parametrize("person", [2, -1])
def test_a_person_who_is_not_there_is_refused(person):
    with pytest.raises(ValueError, match=f"no person {person}"):
        people([[one(0.1), one(0.2, at=900)]]).choose(person)


def test_a_track_id_twice_in_a_frame_is_refused():
    with pytest.raises(FormatError, match="frame 0 holds track id 4 2 times"):
        people([[one(0.1, 4), one(0.2, 4)]]).choose(4)


def test_nobody_at_all_is_refused_but_no_frames_are_not():
    with pytest.raises(FormatError, match="no person in any of the 2 frames"):
        people([[], []])
    assert people([]).choose().xy.shape == (0, 2, 2)


def test_shares_become_px_where_the_size_of_the_image_is_known():
    shares = np.array([[[[0.5, 0.25, 1.0], [1, 1, 1]]]])
    made = People.by_place(shares, JOINTS, source="f", normalised=True, image_size=(100, 200)).choose()
    assert made.xy[0].tolist() == [[50, 50], [100, 200]] and not made.normalised


@pytest.mark.parametrize(("value", "expected"), [(3, 3), (0, 0), (-1, None), (True, None), ("3", None), (None, None)])
def test_track_id(value, expected):
    assert track_id(value) == expected
