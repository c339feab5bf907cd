import pytest

from skelgraph.errors import OutputExistsError
from skelgraph.files.messages import nearest, shortened
from skelgraph.files.new_file import new_file, refuse_existing


def test_files_that_are_there_are_refused(tmp_path):
    path = tmp_path / "a.TXT"
    assert new_file(path, ".txt", force=False) == path
    path.touch()
    assert new_file(path, ".txt", force=True) == path
    with pytest.raises(OutputExistsError, match=r"a\.TXT.*force=True"):
        new_file(path, ".txt", force=False)
    with pytest.raises(ValueError, match=r"ends in \.npz"):
        new_file(path, ".npz", force=True)
    with pytest.raises(FileExistsError, match=r"a\.TXT"):
        refuse_existing([tmp_path / "b", path], force=False)


def test_lists_are_cut_short_and_the_nearest_name_is_given():
    assert shortened([1, 2, 3], 2) == "1, 2 and 1 more" and shortened([1, 2], 2) == "1, 2" and shortened([]) == ""
    assert nearest("met", ["metre", "inch"]) == "; did you mean 'metre'? Valid: metre, inch"
    assert nearest("COCO", ["hand", "coco"]).startswith("; did you mean 'coco'?")
    assert nearest("x", []) == ". Valid: none"
