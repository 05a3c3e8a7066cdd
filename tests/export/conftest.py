"""What tests of pictures share."""

import pytest

from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import TrainedModel


@pytest.fixture(scope="session")
def pivoting_model(small_bindings):
    """A model whose objects turn about a point that is not their middle."""
    bindings = [
        *small_bindings,
        "Trainer.viewpoints = @UniformViewpoints()",
        "UniformViewpoints.limits = (30.0, 10.0, 0.0)",
        "Renderer.margin = 0.5",
        "Renderer.pivot = (0.05, -0.1, -0.4)",
    ]
    configuration = Configuration.from_files([], bindings)
    return TrainedModel(configuration.make_generator(), configuration, 0)
