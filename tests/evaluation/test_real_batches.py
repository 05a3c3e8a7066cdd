import numpy as np
import PIL.Image
import tensorflow as tf

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.evaluation.real_batches import real_batches


def test_order_of_real_pictures_hangs_on_their_seed_alone(tmp_path):
    random = np.random.default_rng(0)
    for number in range(20):
        pixels = random.integers(0, 256, [16, 16, 3]).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{number:02}.png")
    pictures = open_pictures(str(tmp_path), 16)

    def order(seed, seed_of_training):
        tf.random.set_seed(seed_of_training)
        batches = real_batches(pictures, 8, seed=seed, mirror=True)
        return np.concatenate(list(batches.as_numpy_iterator()))

    np.testing.assert_array_equal(order(3, 1), order(3, 2))
    assert np.any(order(3, 1) != order(4, 1))
