import numpy as np
import PIL.Image
import pytest

from tests.reconstruction.conftest import FIT_STEPS
from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.reconstruction.calibration import with_limits
from tf_unsup3d.reconstruction.flags import limits_on_card


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    random = np.random.default_rng(0)
    for index in range(20):
        pixels = random.integers(0, 256, [16, 16, 3]).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{index}.png")
    return open_pictures(folder, 16)


def test_limits_follow_the_pictures_that_they_are_based_on(model, encoder, noise):
    found = with_limits(
        model, encoder, pictures=noise, held_out=16, fit_steps=FIT_STEPS
    )
    assert found.card["limits_from"] == {"source": noise.source, "pictures": 16}
    assert found.network is encoder.network
    assert found.card["steps"] == encoder.card["steps"]
    before, after = (
        limits_on_card(card, FIT_STEPS) for card in (encoder.card, found.card)
    )
    # The model's own samples are explained; noise is not.
    assert after["error"] > 2.0 * before["error"]


def test_all_pictures_are_taken_if_there_are_few(model, encoder, noise):
    found = with_limits(
        model, encoder, pictures=noise, held_out=100, fit_steps=FIT_STEPS
    )
    assert found.card["limits_from"]["pictures"] == noise.count


def test_few_pictures_are_no_basis_for_limits(model, encoder, tmp_path):
    for index in range(15):
        pixels = np.full([16, 16, 3], 8 * index, np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    with pytest.raises(UserError, match="limits need at least 16 pictures, and .* 15"):
        with_limits(model, encoder, pictures=open_pictures(tmp_path, 16))
