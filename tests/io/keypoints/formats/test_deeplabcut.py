import numpy as np
import pytest
from keypoint_files import deeplabcut, pick
from upright import whole_body

from skelgraph.errors import SeveralPeopleError
from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO


def test_individuals_are_people(tmp_path):
    points = whole_body(3)
    path = deeplabcut(tmp_path, points, ("ann", "bob"))
    with pytest.raises(SeveralPeopleError, match=r"2 people.*0 \(ann\), 1 \(bob\)"):
        keypoints.read(path)
    read = keypoints.read(path, person=1)
    assert (read.format, read.joints) == ("deeplabcut", COCO.joints)
    np.testing.assert_allclose(read.xy, pick(points, COCO.joints)[..., :2] + [9, 0], atol=0.01)


def test_empty_cells_are_missing_and_names_are_the_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "scorer,D,D,D,D,D,D\nbodyparts,left ear,left ear,left ear,tail,tail,tail\n"
        "coords,x,y,likelihood,x,y,likelihood\n0,1.5,2,0.5,,,\n1,1,2,0,3,4,NaN\n"
    )
    read = keypoints.read(path)
    assert read.joints == ("left_ear", "tail")
    np.testing.assert_allclose(read.confidence, [[0.5, 0], [0, 0]])
    assert read.xy[0, 0].tolist() == [1.5, 2]


def test_labels_have_no_likelihood_and_name_their_images(tmp_path):
    path = tmp_path / "CollectedData.csv"
    path.write_text("scorer,,,A,A\nbodyparts,,,nose,nose\ncoords,,,x,y\nlabeled-data,clip,img1.png,3,4\n")
    read = keypoints.read(path)
    assert read.xy.tolist() == [[[3, 4]]] and read.confidence.tolist() == [[1]]


def test_joints_of_some_individuals_only_are_missing_in_the_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "scorer,D,D,D,D\nindividuals,ann,ann,single,single\nbodyparts,nose,nose,ball,ball\ncoords,x,y,x,y\n0,1,2,3,4\n"
    )
    assert keypoints.read(path, person=0).missing.tolist() == [[False, True]]
    assert keypoints.read(path, person=1).missing.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("x,y,likelihood\n", "x,y,z\n", "row coords, column 52: 'z'; expected x, y or likelihood"),
        ("x,y,likelihood\n", "x,y,x\n", "body part 'right_ankle': expected one column each of x, y and likelihood"),
        ("\n1,", "\n1,a", r"line 5, column 2 \(nose\): expected a number, found 'a"),
        ("\n1,", "\n1,1,", "line 5: 53 cells; expected 52"),
        ("\n1,", '\n1,"', "CSV|cells"),
        ("nose,nose,nose", "<b>,<b>,<b>", "joint name '<b>'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, old, new, message):
    path = deeplabcut(tmp_path, whole_body(2))
    text = path.read_bytes().decode().replace("\r\n", "\n")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(path)
    assert path.name in str(error.value)


def test_no_coordinates(tmp_path):
    (tmp_path / "a.csv").write_text("scorer,D\nbodyparts,nose\ncoords,\n")
    with pytest.raises(ValueError, match="row coords has no x"):
        keypoints.read(tmp_path / "a.csv")
