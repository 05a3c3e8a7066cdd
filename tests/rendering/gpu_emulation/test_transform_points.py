"""TransformPoints on the GPU, in emulation, against the CPU kernel: the same bits."""

import numpy as np
import pytest

from tf_unsup3d.rendering import transform_points


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 5000])
@pytest.mark.parametrize("one_matrix", [False, True])
def test_same_as_on_the_cpu(dtype, batch, count, one_matrix, emulation):
    rng = np.random.default_rng(0)
    points = rng.normal(size=[batch, count, 3]).astype(dtype)
    matrices = rng.normal(size=[1 if one_matrix else batch, 3, 4]).astype(dtype)
    expected = transform_points(points, matrices).numpy()
    for descending in (False, True):
        emulation.set_descending_order(descending)
        status, result = emulation.transform_points(points, matrices)
        assert status == "ok"
        assert result.tobytes() == expected.tobytes()
