"""Numbers that JSON does not have."""

import json
import math

import numpy as np

from tf_unsup3d.export.json_numbers import without_nan


def test_numbers_that_are_not_finite_become_null():
    value = {"a": math.nan, "b": [1.5, (np.float64("inf"), -math.inf), True], "c": "x"}
    found = without_nan(value)
    assert found == {"a": None, "b": [1.5, [None, None], True], "c": "x"}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert math.isnan(value["a"])
