import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.encoder_files import (
    TrainedEncoder,
    read_encoder,
    write_encoder,
)
from tf_unsup3d.trained.trained_model import TrainedModel, load


@pytest.fixture(scope="module")
def generators(small_bindings):
    configuration = Configuration.from_files([], small_bindings)
    return [configuration.make_generator() for _ in range(2)]


@pytest.fixture
def folder(generators, tmp_path):
    network = Encoder(resolution=16, code_size=8, light_size=0, channel_max=8)
    network.build([None, 16, 16, 3])
    encoder = TrainedEncoder(network, {"steps": 3})
    write_encoder(tmp_path, encoder, generators[0])
    expected = network(picture()).codes.numpy()
    (tmp_path / "expected.npy").write_bytes(expected.tobytes())
    return tmp_path


def picture():
    return tf.random.stateless_normal([1, 16, 16, 3], [1, 2])


def test_what_is_written_is_read(folder, generators):
    encoder = read_encoder(folder, generators[0])
    assert encoder.card["steps"] == 3
    expected = np.frombuffer((folder / "expected.npy").read_bytes(), np.float32)
    found = encoder.network(picture()).codes.numpy()[0]
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_the_encoder_of_another_generator_is_refused(folder, generators):
    with pytest.raises(UserError, match=r"encoder\.json belongs to another generator"):
        read_encoder(folder, generators[1])


def test_weights_that_are_not_those_of_the_card_are_refused(folder, generators):
    path = folder / "encoder.npz"
    with np.load(path) as file:
        weights = dict(file)
    weights["000"] += 1
    np.savez_compressed(path, **weights)
    with pytest.raises(UserError, match=r"encoder\.json belongs to other weights"):
        read_encoder(folder, generators[0])


def test_a_missing_encoder_is_named(tmp_path, generators):
    with pytest.raises(UserError, match="no encoder in .*; train one with unsup3d-"):
        read_encoder(tmp_path, generators[0])


@pytest.mark.parametrize(
    "network",
    [
        None,
        [],
        {"resolution": 4},
        {"colour": 3},
        {"code_size": "8"},
        {"resolution": 64.0},
        # Names that Keras takes.
        {"inputs": 1, "outputs": 2},
        {"autocast": 1},
    ],
)
def test_a_damaged_card_is_named(folder, generators, network):
    path = folder / "encoder.json"
    text = path.read_text()
    path.write_text(json.dumps({**json.loads(text), "network": network}))
    with pytest.raises(UserError, match=r"encoder\.json does not describe an encoder"):
        read_encoder(folder, generators[0])
    path.write_text(text)
    read_encoder(folder, generators[0])


def test_damaged_weights_are_named(folder, generators):
    path = folder / "encoder.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"encoder\.npz is damaged"):
        read_encoder(folder, generators[0])


def test_a_model_finds_the_encoder_in_its_folder(small_run, folder, tmp_path):
    model = load(small_run)
    with pytest.raises(UserError, match="no encoder in"):
        _ = model.encoder
    copy = tmp_path / "published"
    model_folder.publish(copy, model.generator, model.configuration, model.card)
    network = read_network(folder)
    write_encoder(copy, TrainedEncoder(network, {"steps": 5}), model.generator)
    # Publishing rounds the weights, which the checksum must not notice.
    assert load(copy).encoder.card["steps"] == 5
    unsaved = TrainedModel(model.generator, model.configuration, 0)
    with pytest.raises(UserError, match="not loaded from a folder"):
        _ = unsaved.encoder


def read_network(folder):
    sizes = json.loads((folder / "encoder.json").read_text())["network"]
    network = Encoder(**sizes)
    network.build([None, 16, 16, 3])
    return network


def test_publishing_passes_the_encoder_on(small_run, folder, tmp_path, run_in_process):
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    model = load(run)
    write_encoder(
        run, TrainedEncoder(read_network(folder), {"steps": 5}), model.generator
    )
    output = tmp_path / "passed on"
    run_in_process("publish", f"--model_dir={run}", f"--output={output}")
    assert load(output).encoder.card["steps"] == 5
