"""What a run leaves for TensorBoard, as TensorBoard reads it."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.mesh import plugin_data_pb2 as mesh_data
from tensorboard.plugins.projector import ProjectorConfig

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.evaluation.alarms.limits import ALARMS
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import load
from tf_unsup3d.training.tensorboard.early_sheets import is_early_sheet_step
from tf_unsup3d.training.tensorboard.tags import tag
from tf_unsup3d.training.trainer import Trainer

DOCUMENTATION = pathlib.Path(__file__).parents[2] / "docs" / "tensorboard.md"
ALARM_TAGS = {f"alarm/{alarm.name}" for alarm in ALARMS}
# Every measurement of a run whose viewpoints are not learned.
GROUPS = {
    "loss": {"discriminator", "generator", "r1", "folding"},
    "score": {"real", "fake"},
    "shape": {"mask_area", "extent", "flipped_triangles"},
    "gradient": {"discriminator", "generator"},
    "training": {
        "discriminator_learning_rate",
        "generator_learning_rate",
        "learning_rate_factor",
        "pictures_per_second",
    },
}
RECORDED = (
    "step pictures discriminator_loss r1 generator_loss folding real_score fake_score "
    "mask_area extent flipped_triangles rate_factor"
).split()


@pytest.fixture(scope="module")
def events(logged_run):
    events = EventAccumulator(str(logged_run / "events"), size_guidance={"tensors": 0})
    return events.Reload()


def tags(events, plugin):
    return set(events.PluginTagToContent(plugin))


def series(events, name):
    """The values of a tag by step."""
    return {
        event.step: tf.make_ndarray(event.tensor_proto)
        for event in events.Tensors(name)
    }


def records(run):
    text = (run / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_scalars_come_in_the_documented_groups(events):
    found = tags(events, "scalars")
    expected = {f"{group}/{name}" for group, names in GROUPS.items() for name in names}
    assert found == expected | ALARM_TAGS
    text = DOCUMENTATION.read_text()
    for name in [*expected, "viewpoint/yaw_spread", "loss/hidden_roughness"]:
        assert f"`{name}`" in text
    assert all(name.removeprefix("alarm/") in text for name in ALARM_TAGS)


def test_records_keep_their_names(events, logged_run):
    found = records(logged_run)
    assert [record["step"] for record in found] == [3, 6, 8]
    assert [set(record) for record in found[:2]] == [set(RECORDED)] * 2
    assert set(found[2]) == {*RECORDED, *ALARM_TAGS}
    for record in found:
        for name in RECORDED[2:]:
            shown = series(events, tag(name))[record["step"]]
            assert shown == np.float32(record[name])


def test_early_sheets_are_shown_but_not_recorded(events):
    assert set(series(events, "alarm/extent")) == {1, 2, 4, 8}
    assert tags(events, "images") == {"sheet/pictures", "sheet/depth"}
    for name in tags(events, "images"):
        assert set(series(events, name)) == {1, 2, 4, 8}
    early = [step for step in range(1, 2000) if is_early_sheet_step(step, 500)]
    assert early == [31, 62, 125, 250]


def test_rates_and_speed(events):
    factors = series(events, tag("rate_factor"))
    for network in ("generator", "discriminator"):
        rates = series(events, f"training/{network}_learning_rate")
        assert list(rates) == list(factors) == [3, 6, 8]
        for step, factor in factors.items():
            assert rates[step] == pytest.approx(0.002 * factor)
    assert all(
        speed > 0.0 for speed in series(events, tag("pictures_per_second")).values()
    )


def test_norms_of_gradients(small_bindings, pictures, tmp_path):
    configuration = Configuration.from_files([], small_bindings)
    for parts in (1, 2):
        trainer = Trainer(
            dataclasses.replace(
                configuration,
                discriminator={**configuration.discriminator, "group_size": 2},
                training=dataclasses.replace(
                    configuration.training, gradient_accumulation=parts
                ),
            ),
            tmp_path,
            tf.distribute.get_strategy(),
        )
        assert trainer._step.gradient_norms() == {}
        trainer.try_step(open_pictures(pictures, 16))
        norms = trainer._step.gradient_norms()
        for network in ("generator", "discriminator"):
            optimizer = getattr(trainer.state, f"{network}_optimizer")
            # After one step, Adam's second moments are 0.01 times the squares.
            squares = [np.sum(moment.numpy()) for moment in optimizer._velocities]
            expected = np.sqrt(np.sum(squares) / 0.01)
            assert norms[f"{network}_gradient"] == pytest.approx(expected, rel=1e-4)


def test_histograms(events, logged_run):
    names = tags(events, "histograms")
    assert "generator/styles" in names
    for part in ("mapping", "object_4x4", "object_16x16", "background_8x8"):
        assert f"generator/weights_{part}" in names
    assert {
        f"discriminator/weights_{part}" for part in ("level_16x16", "score")
    } <= names
    assert set(series(events, "generator/styles")) == {1, 2, 4, 8}
    # Buckets are (left, right, count).
    counts = series(events, "generator/styles")[8][:, 2]
    assert counts.sum() == 64 * 8
    styles = load(logged_run).styles(range(64), 1.0).numpy()
    assert series(events, "generator/styles")[8][0, 0] == pytest.approx(styles.min())


def test_meshes(events, logged_run):
    kinds = {
        mesh_data.MeshPluginData.FromString(content).content_type: name
        for name, content in events.PluginTagToContent("mesh").items()
    }
    types = mesh_data.MeshPluginData
    vertices = series(events, kinds[types.VERTEX])[8]
    faces = series(events, kinds[types.FACE])[8]
    colours = series(events, kinds[types.COLOR])[8]
    model = load(logged_run)
    scene = model.sample(range(3), truncation_psi=1.0)
    # TensorBoard's y points up, and its z at the viewer.
    np.testing.assert_allclose(
        vertices, scene.vertices * np.float32([1, -1, -1]), atol=1e-5
    )
    np.testing.assert_array_equal(faces, [model.mesh.triangles] * 3)
    assert colours.shape == vertices.shape and colours.dtype == np.uint8
    assert colours.std() > 0.0


def test_hyperparameters(events, logged_run):
    data = plugin_data_pb2.HParamsPluginData
    contents = [
        data.FromString(content)
        for content in events.PluginTagToContent("hparams").values()
    ]
    (start,) = [
        one.session_start_info for one in contents if one.HasField("session_start_info")
    ]
    assert start.group_name.startswith(f"{logged_run.name}-")
    values = start.hparams
    assert values["Trainer.batch_size"].number_value == 4
    assert values["Trainer.mirror"].bool_value is True
    assert values["Trainer.rate_decay"].string_value == "@LinearDecay()"
    assert values["LinearDecay.pictures"].number_value == 64
    (experiment,) = [one.experiment for one in contents if one.HasField("experiment")]
    assert {info.name for info in experiment.hparam_infos} == set(values)
    scores = {info.name.tag for info in experiment.metric_infos}
    assert ALARM_TAGS | {"loss/generator"} <= scores <= tags(events, "scalars")


def test_projector(logged_run):
    folder = logged_run / "events"
    config = text_format.Parse(
        (folder / "projector_config.pbtxt").read_text(), ProjectorConfig()
    )
    (embedding,) = config.embeddings
    styles = np.loadtxt(folder / embedding.tensor_path, delimiter="\t")
    seeds = (folder / embedding.metadata_path).read_text().splitlines()
    model = load(logged_run)
    np.testing.assert_allclose(
        styles, model.styles(range(64), 1.0), rtol=1e-4, atol=1e-5
    )
    assert seeds == [str(seed) for seed in range(64)]
    width, height = embedding.sprite.single_image_dim
    with Image.open(folder / embedding.sprite.image_path) as sprite:
        assert sprite.size == (8 * width, 8 * height)
        # Number 9 stands in the second row.
        thumbnail = sprite.crop([width, height, 2 * width, 2 * height])
    drawn = model.draw(model.sample([9], 1.0), resolution=width)["picture"][0]
    difference = np.int32(to_uint8(drawn)) - np.asarray(thumbnail)
    assert np.abs(difference).max() <= 2
