"""Heads whose depth is known, and a run to evaluate."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.heads import storage
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.render import render_heads
from tf_unsup3d.heads.settings import HeadSetSettings
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.training.trainer import Trainer

BINDINGS = """
UniformViewpoints.limits = (30.0, 10.0, 0.0)
Trainer.viewpoints = @UniformViewpoints()
"""


@pytest.fixture(scope="session")
def heads():
    """Twelve rendered heads at 32 x 32."""
    model = procedural_head_model(24)
    heads = [sample_head(model, np.random.default_rng([3, i])) for i in range(12)]
    return render_heads(model, heads, 32)


@pytest.fixture(scope="session")
def trainer(small_model, tmp_path_factory):
    """Of a run that was left after its first step."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    (folder / "config.gin").write_text(small_model + BINDINGS)
    gin.parse_config(small_model + BINDINGS)
    trainer = Trainer(folder, strategy=tf.distribute.get_strategy())
    gin.clear_config()
    trainer.step.assign(1)
    trainer.checkpoints.save(checkpoint_number=1)
    return trainer


@pytest.fixture(scope="session")
def head_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads") / "set"
    settings = HeadSetSettings(count=1, validation_count=6, test_count=5, resolution=16)
    storage.make_head_set(folder, settings)
    return folder
