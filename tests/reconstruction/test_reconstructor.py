import numpy as np
import pytest
import tensorflow as tf

import tf_unsup3d
from tests.reconstruction.conftest import FIT_STEPS
from tf_unsup3d.errors import UserError
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.reconstruction.encoder_sizes import encoder_sizes
from tf_unsup3d.reconstruction.flags import MEASURES
from tf_unsup3d.reconstruction.losses import LossWeights
from tf_unsup3d.reconstruction.reconstructor import Reconstructor, residual_steps
from tf_unsup3d.reconstruction.samples import draw_samples
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.encoder_files import TrainedEncoder, write_encoder


@pytest.fixture(scope="module")
def pictures(samples):
    return samples.pictures.numpy()


@pytest.fixture(scope="module")
def fitted(reconstructor, pictures):
    return reconstructor(pictures, steps=FIT_STEPS)


@pytest.fixture(scope="module")
def refined(reconstructor, fitted):
    return reconstructor.refine(fitted, FIT_STEPS)


def yaw_error(found, samples):
    true = np.degrees(samples.viewpoints.numpy())
    return np.abs(found.viewpoints_degrees - true)[:, 0].mean()


def test_own_samples_are_recovered(reconstructor, samples, pictures, fitted):
    mean = reconstructor.fit(pictures, steps=0, start="mean")
    from_mean = reconstructor.fit(pictures, steps=FIT_STEPS, start="mean")
    estimated = reconstructor.fit(pictures, steps=0)
    assert np.all(mean.viewpoints_degrees == 0.0)
    assert estimated.errors.mean() < mean.errors.mean()
    assert from_mean.errors.mean() < 0.7 * mean.errors.mean()
    assert fitted.errors.mean() < 0.7 * estimated.errors.mean()
    assert fitted.errors.mean() < from_mean.errors.mean()
    assert yaw_error(fitted, samples) < yaw_error(estimated, samples)
    assert yaw_error(fitted, samples) < 0.9 * yaw_error(mean, samples)


def test_what_is_returned_fits_together(model, fitted, pictures):
    count = len(pictures)
    assert len(fitted) == count == len(fitted.flags)
    np.testing.assert_array_equal(fitted.pictures, pictures)
    drawn = model.renderer(
        fitted.scene,
        np.radians(fitted.viewpoints_degrees),
        outputs=("picture",),
        lights=fitted.lights,
        framing=fitted.framing,
    )
    np.testing.assert_allclose(drawn["picture"], fitted.fits, atol=1e-4)
    error = 0.5 * np.abs(fitted.fits - pictures).mean((1, 2, 3))
    np.testing.assert_allclose(fitted.errors, error, rtol=1e-4)
    assert set(fitted.measures) == set(fitted.limits) == set(MEASURES)
    assert np.all((0.0 < fitted.light) & (fitted.light < 1.0))
    vertices = model.synthesize(fitted.styles).vertices
    np.testing.assert_allclose(vertices, fitted.scene.vertices, atol=1e-5)
    assert fitted.seconds > 0.0


def test_pictures_may_be_framed_otherwise(model, encoder, reconstructor):
    true = Framing(
        tf.constant([[0.08, 0.0], [-0.08, 0.04]] * 8), tf.constant([1.0, 1.15] * 8)
    )
    key = tf.constant([6, 6], tf.int64)
    moved = draw_samples(model, 16, key, framing=true)
    found = reconstructor.fit(moved.pictures.numpy(), steps=3 * FIT_STEPS)
    shift, scale = found.framing
    error = np.linalg.norm(shift - true.shift, axis=-1)
    assert np.median(error) < 0.5 * np.linalg.norm(true.shift, axis=-1).mean()
    assert np.mean(scale[1::2]) > np.mean(scale[::2]) + 0.05
    # Without, the objects would be turned to where they are seen.
    still = Reconstructor(model, encoder, LossWeights(framing=1e3))
    held = still.fit(moved.pictures.numpy(), steps=3 * FIT_STEPS)
    assert found.errors.mean() < held.errors.mean()


def test_results_repeat_and_do_not_depend_on_the_batch(reconstructor, pictures, fitted):
    again = reconstructor(pictures, steps=FIT_STEPS)
    np.testing.assert_array_equal(again.styles, fitted.styles)
    alone = reconstructor(pictures[5], steps=FIT_STEPS)
    np.testing.assert_allclose(alone.fits[0], fitted.fits[5], atol=0.02)
    many = reconstructor(np.concatenate([pictures, pictures[:2]]), steps=0)
    assert len(many) == len(pictures) + 2
    np.testing.assert_allclose(many.styles[16:], many.styles[:2], atol=1e-4)


def test_residuals_match_pictures_better_and_stay_small(model, fitted, refined):
    assert refined.errors.mean() < 0.9 * fitted.errors.mean()
    assert refined.flags == fitted.flags
    for name, values in fitted.measures.items():
        np.testing.assert_array_equal(refined.measures[name], values)
    plain = model.synthesize(refined.styles)
    moved = np.linalg.norm(refined.scene.vertices - plain.vertices, axis=-1)
    radius = model.configuration.generator["radius"]
    assert 0.0 < moved.max() <= 0.1 * np.sqrt(3.0) * radius
    painted = np.abs(refined.scene.texture - plain.texture)
    assert 0.0 < painted.max() <= 0.5 + 1e-6


def test_residuals_take_half_as_many_steps_rounded_up():
    assert [residual_steps(steps) for steps in (0, 1, 12, 25)] == [0, 1, 6, 13]


def test_symmetric_shapes_stay_symmetric(refined):
    vertices = refined.scene.vertices.numpy()
    mirrored = vertices * [-1.0, 1.0, 1.0]
    distances = np.linalg.norm(vertices[:, :, None] - mirrored[:, None], axis=-1)
    assert distances.min(-1).max() < 1e-3


def test_masks_pull_at_the_object(model, reconstructor, pictures):
    masks = np.zeros([4, 16, 16])
    masks[:, 2:10, 4:14] = 1.0

    def mismatch(**options):
        found = reconstructor.fit(pictures[:4], steps=FIT_STEPS, **options)
        views = np.radians(found.viewpoints_degrees)
        drawn = model.renderer(
            found.scene, views, outputs=("mask",), framing=found.framing
        )["mask"]
        return np.abs(drawn[..., 0] - masks).mean()

    assert mismatch(masks=masks) < mismatch() - 0.001


def test_pictures_of_bytes_and_of_other_sizes(reconstructor, pictures):
    coded = np.rint((pictures[:2] + 1.0) * 127.5).astype(np.uint8)
    found = reconstructor.fit(coded, steps=0)
    np.testing.assert_allclose(found.pictures, pictures[:2], atol=0.005)
    large = np.repeat(np.repeat(coded, 2, 1), 2, 2)
    found = reconstructor.fit(large, steps=0)
    assert np.abs(found.pictures - pictures[:2]).mean() < 0.03


@pytest.mark.parametrize(
    ("pictures", "masks", "message"),
    [
        (np.zeros([2, 16, 8, 3]), None, "pictures must be .* got .2, 16, 8, 3"),
        (np.zeros([0, 16, 16, 3]), None, "pictures must be"),
        (np.zeros([16, 16]), None, "pictures must be"),
        (np.full([1, 16, 16, 3], 128.0), None, "uint8, or floating point in .-1, 1"),
        (np.full([1, 16, 16, 3], np.nan), None, "uint8, or floating point in .-1, 1"),
        (np.zeros([1, 16, 16, 3]), np.zeros([2, 16, 16]), "masks must be .1, size"),
    ],
)
def test_bad_pictures_are_named(reconstructor, pictures, masks, message):
    with pytest.raises(ValueError, match=message):
        reconstructor.fit(pictures, masks=masks, steps=0)


def test_a_model_reconstructs_with_the_encoder_of_its_folder(
    model, encoder, reconstructor, pictures, tmp_path
):
    model_folder.publish(tmp_path, model.generator, model.configuration, {"step": 0})
    write_encoder(tmp_path, encoder, model.generator)
    published = tf_unsup3d.load(tmp_path)
    found = published.reconstruct(pictures[0], steps=0)
    assert isinstance(found, tf_unsup3d.Reconstruction)
    expected = reconstructor(pictures[:1], steps=0)
    np.testing.assert_allclose(found.fits, expected.fits, atol=0.1)
    np.testing.assert_allclose(found.errors, expected.errors, atol=0.01)
    assert found.limits == expected.limits


@pytest.mark.parametrize("name", ["resolution", "code_size", "light_size"])
def test_an_encoder_of_other_sizes_is_refused(model, name):
    sizes = encoder_sizes(model)
    network = Encoder(**{**sizes, name: 2 * sizes[name] or 3}, channel_max=8)
    with pytest.raises(UserError, match=f"does not fit the model: its {name} is"):
        tf_unsup3d.Reconstructor(model, TrainedEncoder(network, {}))
