"""Heads whose depth is known, and a model to evaluate."""

import numpy as np
import pytest

from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.render import render_heads
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.trained.trained_model import load


@pytest.fixture(scope="session")
def heads():
    """Twelve rendered heads at 32 x 32."""
    model = procedural_head_model(24)
    drawn = [sample_head(model, np.random.default_rng([3, i])) for i in range(12)]
    return render_heads(model, drawn, 32)


@pytest.fixture(scope="session")
def small_trained(small_run):
    """A model of 16 x 16 that was hardly trained."""
    return load(small_run)
