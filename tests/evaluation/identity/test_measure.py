import json

import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.identity import measure as module
from tf_unsup3d.evaluation.identity.measure import measure_identity
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import RandomViews
from tf_unsup3d.trained.trained_model import TrainedModel


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for number in range(20):
        pixels = random.integers(0, 256, [16, 16, 3]).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def pixels(pictures):
    """Describes pictures by themselves."""
    return pictures.reshape(len(pictures), -1) / 255.0


@pytest.fixture(scope="module")
def measured(small_trained, photos):
    """A report, and the viewpoints that were drawn for it, in degrees."""
    shown = []
    draw = module._draw

    def recorded(model, batch, views):
        shown.append(np.degrees(views.viewpoints.numpy()))
        assert views.framing is None
        return draw(model, batch, views)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "OBJECTS", 32)
        patched.setattr(module, "_draw", recorded)
        pictures = module.open_faces(photos, 16)
        return measure_identity(small_trained, pictures, pixels, seed=1), shown


def test_views_are_compared_with_views_of_the_same_object(measured):
    found = measured[0].similarities
    assert {name: part.pairs for name, part in found.items()} == {
        "0 and 30 degrees": 64,
        "two viewpoints of p_v": 32,
        "different objects": 64,
        "real, mirrored": 20,
        "different real": 20,
    }
    turned, other = found["0 and 30 degrees"], found["different objects"]
    assert turned.distance < 0.9 * other.distance and turned.ID > other.ID
    assert 0.0 < turned.distance


def test_every_view_is_the_one_that_is_named(measured):
    shown = measured[1]
    assert len(shown) == 10
    front, left, right, first, second = shown[:5]
    np.testing.assert_array_equal(front, 0.0)
    np.testing.assert_allclose(left, [[-30.0, 0.0, 0.0]] * 16, rtol=1e-6)
    np.testing.assert_allclose(right, [[30.0, 0.0, 0.0]] * 16, rtol=1e-6)
    np.testing.assert_array_equal(second, np.roll(first, 1, 0))
    assert np.ptp(first[:, 0]) > 10.0


@pytest.fixture(scope="module")
def aligned(small_bindings):
    """A model of aligned portraits whose mouths are before their eyes."""
    configuration = Configuration.from_files(
        [],
        [
            *small_bindings,
            "Trainer.viewpoints = @PortraitViewpoints()",
            "PortraitViewpoints.eye_distance = 1.0",
            "PortraitViewpoints.mouth_protrusion = 0.2",
        ],
    )
    return TrainedModel(configuration.make_generator(), configuration, 0)


def test_views_of_aligned_portraits_are_aligned(aligned):
    batch = next(random_batches(aligned, 16))
    views = module._views(aligned.viewpoints, batch)
    front, left, right, first, second = views
    roll, enlarged = np.degrees(right.viewpoints[0, 2]), right.framing.scale[0]
    # A face that turns is narrower, and FFHQ's crop is enlarged by as much.
    assert abs(roll) > 1.0 and enlarged > 1.02
    for view, yaw, sign in ((front, 0.0, 0.0), (left, -30.0, -1.0), (right, 30.0, 1.0)):
        expected = [[yaw, 0.0, sign * roll]] * 16
        np.testing.assert_allclose(np.degrees(view.viewpoints), expected, atol=1e-4)
        scale = enlarged if yaw else 1.0
        np.testing.assert_allclose(view.framing.scale, [scale] * 16, rtol=1e-5)
        np.testing.assert_array_equal(view.framing.shift, np.zeros([16, 2]))
    assert first == RandomViews(batch.viewpoints, batch.framing)
    # A viewpoint keeps the framing that belongs to it.
    for one, other in (
        (first.viewpoints, second.viewpoints),
        (first.framing.scale, second.framing.scale),
    ):
        np.testing.assert_array_equal(other, np.roll(one, 1, 0))


def test_framed_views_are_drawn_framed(aligned):
    batch = next(random_batches(aligned, 16))
    drawn = aligned.renderer(
        batch.scene, batch.viewpoints, batch.light_seed, framing=batch.framing
    )
    views = module._views(aligned.viewpoints, batch)[3]
    found = module._draw(aligned, batch, views)
    np.testing.assert_array_equal(found, to_uint8(drawn["picture"].numpy()))
    unframed = module._draw(aligned, batch, views._replace(framing=None))
    assert np.any(unframed != found)


def test_real_pictures_are_paired_with_their_mirror_images(photos):
    pictures = open_pictures(photos, 16)
    real, mirrored = module._describe_real(pictures, lambda shown: shown, 0)
    assert real.shape == (20, 16, 16, 3)
    np.testing.assert_array_equal(real, mirrored[:, :, ::-1])


def test_the_report_says_what_its_numbers_are(measured):
    report = measured[0]
    lines = report.table().splitlines()
    assert lines[0].split()[:4] == ["pairs", "ID", "cosine", "distance"]
    assert lines[1].startswith("0 and 30 degrees")
    assert f"{report.similarities['0 and 30 degrees'].ID:.3f}" in lines[1]
    assert "dlib" in lines[-2] and "not comparable" in lines[-1]
    stored = json.loads(report.to_json())
    assert stored["settings"]["seed"] == 1
    assert set(stored["similarities"]["different real"]) == {
        *("pairs", "ID", "ID_std", "cosine", "distance", "same_person")
    }


def test_too_few_pictures_are_refused(small_trained, photos, tmp_path):
    for number in range(15):
        name = f"{number:02}.png"
        (tmp_path / name).write_bytes((photos / name).read_bytes())
    with pytest.raises(UserError, match="holds 15 pictures"):
        module.open_faces(tmp_path, 16)
