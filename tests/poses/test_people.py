import numpy as np
import pytest

from skelgraph.poses.people import EVERYONE, Person, Present, choose, track_id


def person(value: float, track: int | None = None) -> Person:
    return Person(track, np.full((2, 3), value))


def test_the_only_person_is_taken_and_frames_without_are_zero():
    joints = choose([[person(1)], [], [person(3)]], 2, None, "f")
    assert joints[:, 0, 0].tolist() == [1, 0, 3]


def test_several_people_ask_for_a_choice():
    with pytest.raises(ValueError, match=r"f\.json: frame 1 holds 2 people.*--person N \(people 0 to 2, by first"):
        choose([[person(1)], [person(2), person(3)]], 2, None, "f.json")


def test_a_choice_is_a_place_where_places_say_who_it_is():
    frames = [[person(1), person(2)], [person(3)]]
    assert choose(frames, 2, 1, "f", by_place=True)[:, 0, 0].tolist() == [2, 0]
    assert choose(frames, 2, 0, "f", by_place=True)[:, 0, 0].tolist() == [1, 3]


def test_a_choice_is_a_track_id_where_there_are_some():
    frames = [[person(1, 7), person(2, 4)], [person(3, 4), person(4, 7)], [person(5, 9)]]
    assert choose(frames, 2, 7, "f")[:, 0, 0].tolist() == [1, 4, 0]
    with pytest.raises(ValueError, match=r"no person 0; --person can be one of track ids 4, 7, 9"):
        choose(frames, 2, 0, "f")
    with pytest.raises(ValueError, match=r"track ids 4, 7, 9"):
        choose(frames, 2, None, "f")


def test_a_place_that_is_never_filled_is_refused():
    with pytest.raises(ValueError, match="no person 2"):
        choose([[person(1), person(2)]], 2, 2, "f")
    with pytest.raises(ValueError, match="no person -1"):
        choose([[person(1)]], 2, -1, "f")


def test_a_track_id_twice_in_a_frame_is_refused():
    with pytest.raises(ValueError, match="frame 0 holds track id 4 2 times"):
        choose([[person(1, 4), person(2, 4)]], 2, 4, "f")


def test_nobody_at_all_is_refused_but_no_frames_are_not():
    with pytest.raises(ValueError, match="no person in any of the 2 frames"):
        choose([[], []], 2, None, "f")
    assert choose([], 2, None, "f").shape == (0, 2, 3)


@pytest.mark.parametrize(("value", "expected"), [(3, 3), (0, 0), (-1, None), (True, None), ("3", None), (None, None)])
def test_track_id(value, expected):
    assert track_id(value) == expected


def test_everyone_is_asked_for():
    frames = [[person(1, 7), person(2, 4)], [person(3, 9)]]
    with pytest.raises(Present) as present:
        choose(frames, 2, EVERYONE, "f")
    assert present.value.ids == (4, 7, 9)
