import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.features.inception import inception


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, [2, 32, 32, 3]).astype(np.uint8)


def write_weights(path, layers):
    """In the layout of the files that Keras publishes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.0.0"
        for layer in layers:
            group = file.create_group(layer.name)
            weights = [*layer.trainable_weights, *layer.non_trainable_weights]
            names = [f"{layer.name}/{i}".encode() for i in range(len(weights))]
            group.attrs["weight_names"] = names
            for name, weight in zip(names, weights, strict=True):
                group[name.decode()] = weight.numpy()


def test_inception_reads_a_file_of_weights(tmp_path, pictures):
    model = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg"
    )
    path = tmp_path / "inception_v3_notop.h5"
    write_weights(path, model.layers)
    network = inception(str(path))
    assert "inception_v3_notop.h5" in network.description
    assert "not equal" in network.note
    found = network.features([pictures[:1]])
    assert found.shape == (1, 2048)
    resized = tf.image.resize(pictures[:1] / np.float32(127.5) - 1.0, [299, 299])
    expected = model(resized, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def small_inception(weights=None, include_top=True, pooling=None):
    """Stands in for the large one, whose outline it has."""
    inputs = keras.Input([None, None, 3])
    outputs = keras.layers.Conv2D(4, 1)(inputs)
    outputs = keras.layers.GlobalAveragePooling2D(name="avg_pool")(outputs)
    if include_top:
        outputs = keras.layers.Dense(2, name="predictions")(outputs)
    model = keras.Model(inputs, outputs)
    if weights:
        model.load_weights(weights)
    return model


def test_a_classifier_in_the_file_is_left_out(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(keras.applications, "InceptionV3", small_inception)
    model = small_inception()
    path = tmp_path / "with_classifier.h5"
    write_weights(path, model.layers)
    found = inception(str(path)).features([pictures[:2]])
    kernel, bias = model.layers[1].get_weights()
    resized = tf.image.resize(pictures[:2] / np.float32(127.5) - 1.0, [299, 299])
    expected = resized.numpy().mean((1, 2)) @ kernel[0, 0] + bias
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_files_that_are_no_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.applications, "InceptionV3", small_inception)
    with pytest.raises(UserError, match="--feature_weights: there is no file .*gone"):
        inception(str(tmp_path / "gone.h5"))
    text, other = tmp_path / "text.h5", tmp_path / "other.h5"
    text.write_text("no weights")
    write_weights(other, [keras.layers.Dense(3, name="other")])
    for path in (text, other):
        with pytest.raises(UserError, match=f"{path.name} holds no weights"):
            inception(str(path))


def test_a_download_that_fails_is_one_line(monkeypatch):
    def offline(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", offline)
    with pytest.raises(UserError, match="=imagenet: .*URL fetch failure"):
        inception("imagenet")
