"""Heads whose depth is known."""

import numpy as np
import pytest

from tf_unsup3d.data.heads.render import render_heads
from tf_unsup3d.data.heads.scene import sample_scene
from tf_unsup3d.data.heads.shape import procedural_head_model


@pytest.fixture(scope="session")
def heads():
    """Twelve rendered heads at 32 x 32."""
    model = procedural_head_model(24)
    scenes = [sample_scene(model, np.random.default_rng([3, i])) for i in range(12)]
    return render_heads(model, scenes, 32)
