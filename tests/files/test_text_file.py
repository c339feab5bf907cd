import pytest

from skelgraph.files import text_file


def test_marks_and_line_ends_are_taken_off(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffä\r\nb\rc\n".encode())
    assert text_file.read(path, 100) == "ä\nb\nc\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\xff", r"a.txt: not a table: byte 1 is no text"),
        (b"ab\0", r"a.txt: not a table: byte 2 is zero"),
        (b"a" * 101, r"a.txt: 101 bytes; at most 100 are read"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, words):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        text_file.read(tmp_path / "a.txt", 100, "a table")
    with pytest.raises(FileNotFoundError, match="b.txt: no such file"):
        text_file.read(tmp_path / "b.txt", 100)
