import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgraph.io.motions import bvh
from skelgraph.io.motions.bvh import MAX_DEPTH

ARM = """HIERARCHY
ROOT upper arm
{
  OFFSET 9 9 9
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT fore
  {
    OFFSET 2 0 0
    CHANNELS 2 Yrotation Zrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 0 0
1 2 3 90 0 0 90 0
"""


def written(tmp_path, text):
    path = tmp_path / "file.bvh"
    path.write_text(text)
    return path


def test_places_by_hand(tmp_path):
    motion = bvh.read(written(tmp_path, ARM), end_sites=True)
    assert (motion.names, motion.parents) == (("upper arm", "fore", "fore_end"), (-1, 0, 1)) and motion.fps == 25
    np.testing.assert_allclose(motion.positions[0], [[0, 0, 0], [2, 0, 0], [3, 0, 0]])
    # z by 90 turns x to y; then y by 90 turns x to -z
    np.testing.assert_allclose(motion.positions[1], [[1, 2, 3], [1, 4, 3], [1, 4, 2]], atol=1e-12)
    assert bvh.read(written(tmp_path, ARM)).names == ("upper arm", "fore")


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_channels_turn_in_their_order(tmp_path, order):
    channels = " ".join(f"{axis}rotation" for axis in order)
    text = ARM.replace("CHANNELS 2 Yrotation Zrotation", f"CHANNELS 3 {channels}")
    text = text.replace("0 0 0 0 0 0 0 0\n", "0 0 0 0 0 0 20 -130 75\n").replace("90 0 0 90 0\n", "90 0 0 90 0 0\n")
    motion = bvh.read(written(tmp_path, text), end_sites=True)
    turned = Rotation.from_euler(order, [20, -130, 75], degrees=True).apply([1, 0, 0])
    np.testing.assert_allclose(motion.positions[0, 2], [2, 0, 0] + turned, atol=1e-9)


def test_ways_of_writing_that_are_met(tmp_path):
    plain = bvh.read(written(tmp_path, ARM))
    other = ARM.replace("\n  {", " {").replace("arm\n{", "arm {").replace("Frames: 2", "Frames:\t2\t")
    other = other.replace("End Site", "End site").replace("\n", "\r\n\r\n").replace("Zrotation", "ZROTATION")
    again = bvh.read(written(tmp_path, "\ufeff" + other))
    assert again.names == plain.names
    np.testing.assert_array_equal(again.positions, plain.positions)


def test_a_position_channel_stands_for_its_part_of_the_offset(tmp_path):
    text = ARM.replace("CHANNELS 2 Yrotation Zrotation", "CHANNELS 2 Yposition Zrotation")
    np.testing.assert_allclose(bvh.read(written(tmp_path, text)).positions[0, 1], [2, 0, 0])
    np.testing.assert_allclose(bvh.read(written(tmp_path, text)).positions[1, 1], [1 - 90, 4, 3])


def test_several_roots_and_joints_that_do_not_move(tmp_path):
    still = "HIERARCHY\nROOT a\n{\nOFFSET 1 2 3\n}\nROOT b\n{\nOFFSET 4 5 6\n}\nMOTION\nFrames: 3\nFrame Time: .1\n"
    motion = bvh.read(written(tmp_path, still))
    assert motion.parents == (-1, -1) and (motion.positions == [[1, 2, 3], [4, 5, 6]]).all()
    assert motion.positions.shape == (3, 2, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "HIER", "line 1: expected HIERARCHY, found 'HIER'"),
        ("ROOT upper arm", "JOINT arm", "line 2: 'JOINT arm' cannot stand here"),
        ("arm\n{", "arm\n", "line 4: expected {"),
        ("OFFSET 2 0 0", "OFFSET 2 0", "line 8: 2 numbers; expected 3"),
        ("OFFSET 2 0 0", "OFFSET 2 0 zero", "line 8: could not convert string to float: 'zero'"),
        ("OFFSET 2 0 0", "OFFSET 2 0 nan", "line 8: holds a number that is not finite"),
        ("    OFFSET 2 0 0\n", "", "line 13: fore has no OFFSET"),
        ("OFFSET 2 0 0", "OFFSET 2 0 0\nOFFSET 2 0 0", "line 9: 'OFFSET 2 0 0' "),
        ("CHANNELS 2", "CHANNELS 3", "line 9: .*expected a number and that many"),
        ("Yrotation Zrotation", "Yrotation Yrotation", "line 9"),
        ("Yrotation Zrotation\n", "Yrotation Wrotation\n", "line 9"),
        ("OFFSET 1 0 0", "OFFSET 1 0 0\nCHANNELS 1 Xrotation", "line 13: 'CHANNELS 1 Xrotation' is unknown"),
        ("OFFSET 1 0 0", "JOINT x", "line 12: 'JOINT x' cannot stand here"),
        ("}\nMOTION", "MOTION", "MOTION before the hierarchy is closed"),
        ("}\nMOTION", "}\n}\nMOTION", "line 16: found '}' outside of any joint"),
        ("MOTION", "", "line 17: found 'Frames: 2' outside of any joint"),
        ("Frames: 2", "Frames: two", "line 17: found 'Frames: two'"),
        ("Frames: 2", "Frames: 3", "Frames: 3, found 2 lines of motion"),
        ("Frames: 2", "Frames: 1", "Frames: 1, found 2 lines of motion"),
        ("Frames: 2", "Frames: 9999999", "line 17: 9999999 frames; at most"),
        ("Frame Time: 0.04", "Frame Time: 0", "line 18: Frame Time 0; expected seconds above 0"),
        ("Frame Time: 0.04\n", "", "line 18: found '0 0 0"),
        ("90 0 0 90 0", "90 0 0 90", "line 20: 7 numbers; expected 8"),
        ("90 0 0 90 0", "90 0 0 90 x", "line 20: could not convert"),
        ("0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 inf", "line 19: holds a number that is not finite"),
        ("1 2 3 90", "1 2 1e999 90", "line 20: holds a number that is not finite"),
    ],
)
def test_strange_files_are_named_by_line(tmp_path, old, new, message):
    assert old in ARM
    text = ARM.replace(old, new, 1)
    with pytest.raises(ValueError, match=message) as error:
        bvh.read(written(tmp_path, text))
    assert "file.bvh" in str(error.value)


def test_limits(tmp_path):
    with pytest.raises(ValueError, match="line 9: the file ends before MOTION"):
        bvh.read(written(tmp_path, "\n".join(ARM.split("\n")[:9])))
    with pytest.raises(ValueError, match="numbers too large to be places"):
        bvh.read(written(tmp_path, ARM.replace("OFFSET 2", "OFFSET 1.7e308").replace("OFFSET 1 ", "OFFSET 1.7e308 ")))
    deep = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + "JOINT a\n{\nOFFSET 0 0 0\n" * 100_000
    with pytest.raises(ValueError, match=f"line .*{MAX_DEPTH} levels"):
        bvh.read(written(tmp_path, deep))
    wide = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + "JOINT a\n{\nOFFSET 0 0 0\n}\n" * 2000
    with pytest.raises(ValueError, match="more than 1000 joints"):
        bvh.read(written(tmp_path, wide))
    still = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n" + "JOINT a\n{\nOFFSET 0 0 0\n}\n" * 900 + "}\nMOTION\n"
    with pytest.raises(ValueError, match="at most 20000000 places"):
        bvh.read(written(tmp_path, still + "Frames: 1000000\nFrame Time: 1\n"))
    with pytest.raises(FileNotFoundError):
        bvh.read(tmp_path / "absent.bvh")


def test_damaged_files_are_errors_that_name_the_file(tmp_path):
    rng = np.random.default_rng(0)
    whole = ARM.encode()
    path = tmp_path / "file.bvh"
    for _ in range(300):
        content = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
        for place in rng.integers(0, len(content), rng.integers(0, 5)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            motion = bvh.read(path)
            assert np.isfinite(motion.positions).all() and len(motion.names) == len(motion.parents)
        except ValueError as error:
            assert "file.bvh" in str(error)


@pytest.mark.parametrize(
    ("name", "joints", "frames", "fps"),
    [("cmu_standard", 43, 3, 30), ("cmu_60_salsa_10", 43, 1198, 120), ("cmu_02_03", 101, 86, 60)],
)
def test_real_recordings(data_dir, name, joints, frames, fps):
    path = data_dir / "bvh" / f"{name}.bvh"
    if not path.is_file():
        pytest.skip(f"no bvh/{name}.bvh under $SKELGRAPH_DATA")
    motion = bvh.read(path, end_sites=True)
    bare = bvh.read(path)
    assert bare.positions.shape == (frames, joints, 3) and bare.fps == pytest.approx(fps, rel=1e-3)
    kept = [i for i, name in enumerate(motion.names) if not name.endswith("_end")]
    np.testing.assert_array_equal(motion.positions[:, kept], bare.positions)
    bones = motion.positions - motion.positions[:, [max(p, 0) for p in motion.parents]]
    lengths = np.linalg.norm(bones, axis=-1)
    np.testing.assert_allclose(lengths, lengths[:1].repeat(frames, 0), atol=1e-4)  # every bone stays as long
    assert 120 < np.median(np.ptp(motion.positions[..., 1], axis=1)) < 200  # cm, y up


def test_a_real_person_stands_on_the_feet(data_dir):
    path = data_dir / "bvh" / "cmu_60_salsa_10.bvh"
    if not path.is_file():
        pytest.skip("no bvh/cmu_60_salsa_10.bvh under $SKELGRAPH_DATA")
    motion = bvh.read(path)
    place = {name: motion.positions[:, i] for i, name in enumerate(motion.names)}
    assert ((place["head"] - place["lFoot"])[:, 1] > 80).all() and -5 < place["lFoot"][:, 1].min() < 20
    thigh = np.linalg.norm(place["lShin"] - place["lThigh"], axis=-1)
    assert 30 < thigh.mean() < 55
