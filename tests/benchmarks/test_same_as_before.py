import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import same_as_before  # noqa: E402


def probe(**arrays: object) -> dict[str, np.ndarray]:
    facts = {fact: np.array([], dtype=str) for fact in same_as_before.FACTS}
    return {**facts, **{name.replace("__", "/"): np.asarray(array) for name, array in arrays.items()}}


@pytest.mark.parametrize(
    ("old", "new", "same", "exactly"),
    [
        ({"draw__x": [1.0, np.nan]}, {"draw__x": [1.0, np.nan]}, True, True),
        ({"draw__x": [1.0, 2.0]}, {"draw__x": [1.0, 2.0 + 1e-8]}, True, False),
        ({"draw__x": [1.0, 2.0]}, {"draw__x": [1.0, 2.1]}, False, False),
        ({"draw__x": [1.0, 2.0]}, {"draw__x": [1.0, np.nan]}, False, False),
        ({"lift__pose": [1.0]}, {"lift__pose": [1.0 + 1e-12]}, False, False),
        ({"walk__c__world": [1.0]}, {"walk__c__world": [1.0 + 1e-10]}, True, False),
        ({"walk__c__world": [1.0]}, {"walk__c__world": [1.0 + 1e-8]}, False, False),
        ({"draw__x": [1.0], "draw__y": [1.0]}, {"draw__x": [1.0]}, False, False),
        ({"draw__x": [1.0]}, {"draw__x": [[1.0]]}, False, False),
        ({"train__w": [1.0]}, {"train__w": [2.0]}, True, False),
    ],
)
def test_what_counts_as_the_same(old: dict, new: dict, same: bool, exactly: bool) -> None:
    assert same_as_before.compare(probe(**old), probe(**new), exact=False) is same
    assert same_as_before.compare(probe(**old), probe(**new), exact=True) is exactly
