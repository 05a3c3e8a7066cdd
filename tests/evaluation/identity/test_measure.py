import json

import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.identity import measure as module
from tf_unsup3d.evaluation.identity.measure import measure_identity


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

    def recorded(model, batch, viewpoints):
        shown.append(np.degrees(viewpoints.numpy()))
        return draw(model, batch, viewpoints)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "OBJECTS", 32)
        patched.setattr(module, "_draw", recorded)
        return measure_identity(small_trained, photos, pixels, seed=1), shown


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
        measure_identity(small_trained, tmp_path, pixels)
