import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.shape import depth_metrics, depth_network
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.rendering.camera import PinholeCamera

CAMERA = PinholeCamera()
DISTANCE = CAMERA.distance
SIZE = 16


def balls(count, seed=0):
    """Lit balls of several sizes and places, before plain backgrounds."""
    random = np.random.default_rng(seed)
    rows, columns = (np.mgrid[:SIZE, :SIZE] + 0.5) * 2.0 / SIZE - 1.0
    radius = random.uniform(0.5, 0.75, count)[:, None, None]
    x, y = random.uniform(-0.25, 0.25, [2, count, 1, 1])
    height = radius**2 - (columns - x) ** 2 - (rows - y) ** 2
    mask = height > 0.0
    height = np.sqrt(np.maximum(height, 0.0))
    depth = np.where(mask, DISTANCE - height, 0.0).astype(np.float32)
    light = 255.0 * (0.2 + 0.8 * height / radius)
    back = random.integers(0, 120, [count, 1, 1, 3])
    pictures = np.where(mask[..., None], light[..., None], back)
    return DepthPairs(pictures.astype(np.uint8), depth, mask, CAMERA)


@pytest.fixture(scope="module")
def trained():
    network, records = depth_network.train_depth_network(balls(160), 120, seed=1)
    return network, records


def test_learns_depth_and_mask_of_unseen_pictures(trained):
    network, records = trained
    unseen = balls(32, seed=9)
    depth, mask = depth_network.predict_depth(network, unseen.pictures)
    assert depth.shape == mask.shape == (32, SIZE, SIZE)
    assert depth.dtype == np.float32 and mask.dtype == bool
    scores = depth_metrics.compare_depth(
        depth, mask, unseen.depth, unseen.mask, CAMERA
    ).summary()
    flat = np.full_like(depth, DISTANCE)
    card = depth_metrics.compare_depth(
        flat, unseen.mask, unseen.depth, unseen.mask, CAMERA
    ).summary()
    assert scores["mask_iou"] > 0.8 and scores["missed"] == 0
    assert scores["side"] < 0.4 * card["side"]
    assert scores["mad"] < 0.4 * card["mad"]
    assert records[-1]["step"] == 120
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]


def test_the_same_seed_gives_the_same_network():
    pairs = balls(24)
    predictions = [
        depth_network.predict_depth(
            depth_network.train_depth_network(pairs, 6, seed=seed)[0], pairs.pictures
        )[0]
        for seed in (3, 3)
    ]
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-6)
    assert np.ptp(predictions[0]) > 1e-3


def test_loss_of_truth_and_of_known_errors():
    pairs = balls(4)
    mask = tf.constant(pairs.mask, tf.float32)
    depth = tf.where(mask > 0.0, pairs.depth, DISTANCE)
    logits = 60.0 * mask - 30.0

    def loss(depth, logits=logits):
        return depth_network.depth_loss(
            depth, logits, pairs.depth, mask, pairs.camera
        ).numpy()

    np.testing.assert_allclose(loss(depth), 0.0, atol=1e-6)
    # A scaled depth has no slope error, and half of the squared one.
    scaled = loss(depth * np.exp(0.2 / DISTANCE))
    np.testing.assert_allclose(scaled, 0.5 * 0.2**2, rtol=1e-3)
    # Depth beside the mask does not count.
    beside = tf.where(mask > 0.0, depth, 3.0)
    np.testing.assert_allclose(loss(beside), 0.0, atol=1e-6)
    assert np.all(loss(depth, -logits) > 1.0)
    # The same size of error is worse where it wavers.
    sign = np.where(np.indices([SIZE, SIZE]).sum(0) % 2, 1.0, -1.0)
    assert np.all(loss(depth * np.exp(sign * 0.2 / DISTANCE)) > 5.0 * scaled)


def test_depth_is_positive_whatever_the_weights():
    network = depth_network.DepthNetwork(CAMERA, channels=4)
    network.build([None, 32, 32, 3])
    network.last.bias.assign(tf.fill([8], -1e3))
    depth, logits = network(tf.zeros([2, 32, 32, 3]))
    assert depth.shape == logits.shape == (2, 32, 32)
    assert np.all(depth.numpy() > 0.0) and np.all(np.isfinite(depth.numpy()))
