"""Files from strangers: whatever is in them, they are used or named in one line."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.discriminator_files import (
    load_discriminator,
    write_discriminator,
)
from tf_unsup3d.trained.encoder_files import (
    TrainedEncoder,
    read_encoder,
    write_encoder,
)
from tf_unsup3d.trained.trained_model import load

ROUNDS = 150


@pytest.fixture(scope="module")
def published(small_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    model = load(small_run)
    model_folder.publish(folder, model.generator, model.configuration, model.card)
    write_discriminator(folder, load_discriminator(small_run))
    return folder


def damaged(content, random):
    """The content of a file with bytes changed, dropped, repeated or cut off."""
    content = bytearray(content)
    for _ in range(random.integers(1, 5)):
        start, end = sorted(random.integers(0, len(content) + 1, 2))
        kind = random.integers(5)
        if kind == 0:
            for place in random.integers(0, len(content), 3):
                content[place] = random.integers(256)
        elif kind == 1:
            del content[start : min(end, start + 20)]
        elif kind == 2:
            content[start:start] = content[start : min(end, start + 200)]
        elif kind == 3:
            content[start:start] = random.bytes(5)
        else:
            del content[max(len(content) // 2, start) :]
        content = content or bytearray(b"?")
    return bytes(content)


def fuzz(path, use):
    """Uses a file with damage of many kinds; returns how often it is refused."""
    whole, random, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(ROUNDS):
        path.write_bytes(damaged(whole, random))
        try:
            use()
        except UserError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)
    path.write_bytes(whole)
    return refused


def test_configurations(published, tmp_path):
    folder = shutil.copytree(published, tmp_path / "model")
    refused = fuzz(
        folder / "config.gin",
        lambda: Configuration.from_run_file(folder / "config.gin"),
    )
    assert refused > ROUNDS // 3


def test_weights_and_cards(published, tmp_path):
    folder = shutil.copytree(published, tmp_path / "model")
    generator = model_folder.read_configuration(folder).make_generator()
    for name in ("generator.npz", "card.json"):
        refused = fuzz(
            folder / name, lambda: model_folder.read_published(generator, folder)
        )
        assert refused > ROUNDS // 3
        assert all(np.isfinite(value).all() for value in generator.get_weights())


def test_manifests(tmp_path):
    shard = manifests.Shard("pictures-00000-of-00001.tfrecord", 5, "0" * 64)
    manifest = manifests.Manifest(5, 16, "a", "0" * 64, "0" * 64, 0, (shard,))
    manifests.write_manifest(tmp_path, manifest)
    refused = fuzz(tmp_path / "dataset.json", lambda: manifests.read_manifest(tmp_path))
    assert refused > ROUNDS // 3


def test_discriminators(published, tmp_path):
    folder = shutil.copytree(published, tmp_path / "model")
    refused = fuzz(folder / "discriminator.npz", lambda: load_discriminator(folder))
    assert refused > ROUNDS // 3


def test_encoders(published, tmp_path):
    folder = shutil.copytree(published, tmp_path / "model")
    generator = load(folder).generator
    network = Encoder(resolution=16, code_size=8, light_size=0, channel_max=8)
    network.build([None, 16, 16, 3])
    write_encoder(folder, TrainedEncoder(network, {"limits": {}}), generator)
    for name in ("encoder.json", "encoder.npz"):
        refused = fuzz(folder / name, lambda: read_encoder(folder, generator))
        assert refused > ROUNDS // 3
    read_encoder(folder, generator)


def test_archives(tmp_path):
    picture, path = tmp_path / "a.png", tmp_path / "archive.zip"
    Image.effect_noise((16, 16), 90).save(picture)
    with zipfile.ZipFile(path, "w") as archive:
        for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            archive.write(picture, f"{kind}.png", kind)

    def read_all():
        files = pictures.list_files(path)
        read = pictures.open_source(path)
        for file in files:
            try:
                pictures.load_picture(read(file.name), 16)
            except pictures.BadPictureError as error:
                assert str(error) and "\n" not in str(error)

    assert fuzz(path, read_all) > ROUNDS // 10


def test_checkpoints(small_run, tmp_path):
    folder = shutil.copytree(small_run, tmp_path / "run")
    generator = model_folder.read_configuration(folder).make_generator()
    refused = fuzz(
        folder / "checkpoints" / "ckpt-1.npz",
        lambda: model_folder.restore_network(generator, "average", folder),
    )
    assert refused > ROUNDS // 3
