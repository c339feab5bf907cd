"""A skeleton in words."""

from skelgraph.skeleton import builtin
from skelgraph.skeleton.describe import describe


def test_describe():
    text = describe(builtin.HUMAN36M)
    assert text.startswith("HUMAN36M: 17 joints, 16 bones, 0 extra edges\n")
    assert "edges   49: 17 center, 16 closer, 16 farther" in text
    assert "center  hip" in text and "pairs   6 left and right" in text
    (row,) = (line for line in text.splitlines() if line.split()[:2] == ["13", "left_wrist"])
    assert row.split() == ["13", "left_wrist", "left_elbow", "5", "left_arm", "right_wrist"]
    assert max(map(len, text.splitlines())) <= 120
