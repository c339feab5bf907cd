import json

import pytest

from skelgraph.files import json_file


def test_plain_values_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [1, 2.5, null, true, "\xc3\xa9"]}\r\n')
    assert json_file.read(path) == {"a": [1, 2.5, None, True, "é"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[NaN]", "NaN is no JSON number"),
        (b"[-Infinity]", "Infinity is no JSON number"),
        (b'{"a": {"b": 1, "b": 2}}', "'b' is duplicated"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
        (b"[" + b"1" * 5000 + b"]", "not read as JSON"),
        (b'["\xff"]', "not UTF-8"),
        (b"[1,\n2,,]", "line 2: not readable"),
        (b"[1", "not readable"),
        (b"", "not readable"),
    ],
)
def test_oddities_are_errors_that_name_the_file(tmp_path, content, message):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        json_file.read(path)
    assert str(error.value).startswith(str(path))


def test_size_is_checked_before_reading(tmp_path):
    path = tmp_path / "big.json"
    path.write_text(json.dumps([1] * 100))
    with pytest.raises(ValueError, match="300 bytes.*at most 99"):
        json_file.read(path, max_bytes=99)


def test_numbers():
    assert json_file.numbers([[1, 2.5]], "x").tolist() == [[1, 2.5]]
    assert json_file.numbers([], "x").shape == (0,)


@pytest.mark.parametrize(
    "value", [[1, "2"], [None], [[1], [1, 2]], [10**400], "12", {"a": 1}, None, json.loads("[1e999]"), [True]]
)
def test_what_is_no_number_is_named(value):
    with pytest.raises(ValueError, match="here: "):
        json_file.numbers(value, "here")
