import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.reconstruction.samples import draw_samples
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import TrainedModel


@pytest.fixture(scope="module")
def model(small_bindings):
    lines = [*small_bindings, "Trainer.viewpoints = @PortraitViewpoints()"]
    configuration = Configuration.from_files([], lines)
    return TrainedModel(configuration.make_generator(), configuration, 0)


@pytest.mark.parametrize("views", [1, 2])
def test_framing_comes_on_top_of_the_alignment(model, views):
    key = tf.constant([1, 2], tf.int64)
    plain = draw_samples(model, 4, key, views)
    given = Framing(tf.fill([4 * views, 2], 0.1), tf.fill([4 * views], 1.2))
    moved = draw_samples(model, 4, key, views, framing=given)
    np.testing.assert_array_equal(plain.framing.shift, np.zeros([4 * views, 2]))
    assert np.ptp(plain.framing.scale) > 1e-3
    np.testing.assert_array_equal(moved.framing.shift, given.shift)
    np.testing.assert_allclose(
        moved.framing.scale, 1.2 * plain.framing.scale, rtol=1e-6
    )
    np.testing.assert_array_equal(moved.viewpoints, plain.viewpoints)
    assert np.abs(moved.pictures - plain.pictures).max() > 0.1


def test_random_batches_are_drawn_as_they_are_framed(model):
    (batch,) = random_batches(model, 3)
    assert batch.framing.scale.shape == [3]
    draw = depth_drawing(model.renderer)
    aligned = draw(*batch)[1]
    without = draw(batch.scene, batch.viewpoints, batch.light_seed)[1]
    assert np.any(aligned != without)
    picture = model.renderer(**batch._asdict())["picture"]
    np.testing.assert_array_equal(picture, draw(*batch)[0])
