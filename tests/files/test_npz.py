"""npz files: what is read, and that everything hostile or damaged ends in an error that names file and member."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest

from skelgraph.files import npz

ARRAYS = {
    "x": np.arange(24, dtype="f4").reshape(2, 3, 4),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">i4"),
    "text": np.array("héllo"),
    "names": np.array(["a", "bcd"]),
    "flags": np.array([True, False]),
    "none": np.zeros((0, 3), "u1"),
    "scalar": np.array(30.0),
}


def packed(save=np.savez, **arrays) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def npy(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(text: str, content: bytes = b"", version=(1, 0)) -> bytes:
    text = text.ljust(118) + "\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text.encode() + content


@pytest.fixture
def written(tmp_path):
    def write(members) -> str:
        path = tmp_path / "given.npz"
        if isinstance(members, bytes):
            path.write_bytes(members)
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in members:
                    archive.writestr(name, content)
        return str(path)

    return write


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_wrote(written, save):
    found = npz.read(written(packed(save, **ARRAYS)))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=") and found[name].flags.writeable


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.npz: no such file"):
        npz.read(tmp_path / "nowhere.npz")


class Payload:
    def __reduce__(self):
        return exec, ("raise SystemExit('payload ran')",)


def described(descr: str, shape: tuple[int, ...], content: bytes = b"") -> bytes:
    return header(str({"descr": descr, "fortran_order": False, "shape": shape}), content)


HOSTILE = {
    "not a zip": (b"hello", "not an npz file"),
    "empty": (b"", "not an npz file"),
    "object array": ([("x.npy", npy(np.array([Payload()], dtype=object)))], "'x.npy' cannot be read: dtype object"),
    "structured": ([("x.npy", npy(np.zeros(2, "i4,f4")))], r"dtype \[\('f0'"),
    "dates": ([("x.npy", npy(np.zeros(2, "M8[s]")))], "dtype datetime64"),
    "complex": ([("x.npy", npy(np.zeros(2, complex)))], "dtype complex128"),
    "huge shape": (
        [("x.npy", described("<f8", (500_000_000_000,), bytes(16)))],
        r"the header says 4000000000000 bytes \(shape \(500000000000,\), float64\), the member holds 16",
    ),
    "too few bytes": ([("x.npy", npy(np.arange(9))[:-8])], "the header says 72 bytes .* the member holds 64"),
    "too many bytes": ([("x.npy", npy(np.arange(9)) + b"more")], "the member holds 76"),
    "negative shape": ([("x.npy", described("|u1", (-1, -1), b"1"))], "-1"),
    "empty text": ([("x.npy", described("<U0", (1_000_000_000,)))], "dtype <U0"),
    "code in the header": ([("x.npy", header("__import__('os').system('true')"))], "cannot be read"),
    "version 2": ([("x.npy", header("{}", version=(2, 0)))], r"npy version \(2, 0\), expected \(1, 0\)"),
    "no text": ([("x.npy", described("<U1", (1,), b"\xff" * 4))], "no text"),
    "no boolean": ([("x.npy", described("|b1", (1,), b"\x07"))], "other than"),
    "another file": ([("../x.py", b"print()")], r"'../x.py' is not an array"),
    "too many": ([(f"{i}.npy", b"") for i in range(257)], "257 members, at most 256"),
    "bomb": ([("x.npy", npy(np.zeros(70 << 20, np.uint8)))], "more than 200 times its own size"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(written, case):
    content, message = HOSTILE[case]
    with pytest.raises(ValueError, match=message) as caught:
        npz.read(written(content))
    assert "given.npz" in str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members_are_refused(written):
    with pytest.raises(ValueError, match="member 'x.npy'"):
        npz.read(written([("x.npy", npy(np.zeros(2))), ("x.npy", npy(np.ones(2)))]))


def test_a_cap_on_size(written):
    path = written(packed(x=np.zeros(1000)))
    with pytest.raises(ValueError, match="unpacks to 8128 bytes, at most 8000 are read"):
        npz.read(path, max_bytes=8000)


def test_a_damaged_member_is_named(written):
    content = bytearray(packed(x=np.arange(100.0)))
    content[300] ^= 1
    with pytest.raises(ValueError, match="given.npz: member 'x.npy' cannot be read: Bad CRC"):
        npz.read(written(bytes(content)))


def test_damage_of_any_kind_ends_in_an_error_that_names_the_file(written):
    random = np.random.default_rng(0)
    content = packed(np.savez_compressed, **ARRAYS)
    refused = 0
    for trial in range(600):
        damaged = bytearray(content)
        place = int(random.integers(len(content)))
        if trial % 3 == 0:
            damaged[place] ^= 1 << int(random.integers(8))
        elif trial % 3 == 1:
            del damaged[place:]
        else:
            del damaged[place : place + int(random.integers(1, 20))]
        try:
            npz.read(written(bytes(damaged)))
        except ValueError as error:
            assert "given.npz" in str(error)
            refused += 1
    assert refused > 400


def test_damaged_headers_end_in_an_error_that_names_the_member(written):
    random = np.random.default_rng(0)
    content = npy(ARRAYS["x"])
    for _ in range(400):
        damaged = bytearray(content)
        for place in random.integers(0, 128, 2):
            damaged[place] = random.integers(256)
        try:
            npz.read(written([("x.npy", bytes(damaged))]))
        except ValueError as error:
            assert "given.npz: member 'x.npy'" in str(error)


def test_a_lying_directory_is_caught(written):
    """The zip directory claims fewer bytes than the deflated stream gives."""
    content = bytearray(packed(np.savez_compressed, x=np.zeros(1000)))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 136)
    content[entry + 16 : entry + 20] = struct.pack("<I", zlib.crc32(npy(np.zeros(1000))[:136]))
    with pytest.raises(ValueError, match="the header says 8000 bytes .* the member holds 8"):
        npz.read(written(bytes(content)))
