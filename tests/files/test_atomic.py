import os

import pytest

from skelgraph.errors import OutputExistsError
from skelgraph.files import atomic
from skelgraph.files.messages import nearest, shortened
from skelgraph.files.new_file import new_file, refuse_existing


@pytest.mark.parametrize(("system", "folders"), [("posix", 1), ("nt", 0)])
def test_folders_are_synced_but_on_windows_which_cannot(tmp_path, monkeypatch, system, folders):
    opened, path = [], tmp_path / "a.txt"
    open_as_it_is = os.open
    monkeypatch.setattr(os, "open", lambda *given: opened.append(given[0]) or open_as_it_is(*given))
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", system)
        atomic.write(path, "new")
    assert path.read_text() == "new" and opened.count(tmp_path) == folders


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
