import json

import numpy as np
import pytest

from skelgraph.lifting.error_estimate import ErrorEstimate

PARTS = (0, 0, 1)


def fitted(seed=0):
    random = np.random.default_rng(seed)
    foretold = random.uniform(0.01, 0.2, (4000, 3))
    scale = np.array([500, 500, 2000])
    error = foretold * scale * random.exponential(1, foretold.shape)
    return ErrorEstimate.fit(foretold, error, PARTS), random


def test_the_estimate_is_the_mean_error_in_each_decile():
    estimate, random = fitted()
    foretold = random.uniform(0.01, 0.2, (20_000, 3))
    error = foretold * np.array([500, 500, 2000]) * random.exponential(1, foretold.shape)
    expected = estimate(foretold)
    order = np.argsort(expected.ravel())
    for decile in np.array_split(order, 10):
        assert expected.ravel()[decile].mean() == pytest.approx(error.ravel()[decile].mean(), rel=0.12)


def test_it_rises_and_goes_on_beyond_what_it_was_fitted_to():
    estimate, _ = fitted()
    line = np.linspace(1e-4, 1.0, 500)[:, None].repeat(3, 1)
    values = estimate(line)
    assert (np.diff(values, axis=0) >= 0).all() and values.dtype == np.float32
    assert values[-1, 0] == pytest.approx(estimate(line[-1:] / 2)[0, 0] * 2, rel=1e-5)
    assert values[-1, 2] > 3 * values[-1, 0]


def test_round_trip_through_json():
    estimate, random = fitted()
    again = ErrorEstimate.from_dict(json.loads(json.dumps(estimate.to_dict())))
    foretold = random.uniform(0, 0.5, (10, 3))
    assert np.array_equal(again(foretold), estimate(foretold))


@pytest.mark.parametrize(
    "change",
    [
        {"parts": [0, 0, 2]},
        {"measured": [[1.0], [1.0]]},
        {"foretold": None},
        {"parts": "abc"},
    ],
)
def test_what_is_no_estimate_is_refused(change):
    with pytest.raises(ValueError, match="error estimate"):
        ErrorEstimate.from_dict({**fitted()[0].to_dict(), **change})


def test_curves_that_fall_or_touch_zero_are_refused():
    for foretold, measured in (([[1, 2]], [[2, 1]]), ([[0, 1]], [[1, 2]]), ([[1, 2]], [[1, float("nan")]])):
        with pytest.raises(ValueError, match="must rise from above 0"):
            ErrorEstimate((0,), foretold, measured)
