"""A small model whose objects differ, and an encoder of it."""

import numpy as np
import pytest

SIZES = dict(channel_base=128, channel_max=16, dense_size=32)
FIT_STEPS = 12


@pytest.fixture(scope="session")
def model(small_bindings):
    """A random generator of 16 x 16 pixels, with lamps."""
    from tf_unsup3d.trained.configuration import Configuration
    from tf_unsup3d.trained.trained_model import TrainedModel

    np.random.seed(0)
    import keras

    keras.utils.set_random_seed(0)
    configuration = Configuration.from_files(
        [],
        [
            *small_bindings,
            "Trainer.viewpoints = @UniformViewpoints()",
            "UniformViewpoints.limits = (30.0, 10.0, 0.0)",
            "Renderer.lamps = @RandomLamps()",
            "Generator.symmetric_texture = False",
        ],
    )
    return TrainedModel(configuration.make_generator(), configuration, 0)


@pytest.fixture(scope="session")
def encoder(model):
    from tf_unsup3d.reconstruction.calibration import make_trained_encoder, with_limits

    encoder = make_trained_encoder(model, 120, **SIZES)
    return with_limits(model, encoder, held_out=32, fit_steps=FIT_STEPS)


@pytest.fixture(scope="session")
def reconstructor(model, encoder):
    from tf_unsup3d.reconstruction.reconstructor import Reconstructor

    return Reconstructor(model, encoder)


@pytest.fixture(scope="session")
def samples(model):
    """Sixteen samples that the encoder has not seen."""
    import tensorflow as tf

    from tf_unsup3d.reconstruction.samples import draw_samples

    return draw_samples(model, 16, tf.constant([5, 5], tf.int64))
