import numpy as np
import pytest

from tf_unsup3d.reconstruction import editing
from tf_unsup3d.reconstruction.sheet import reconstruction_sheet
from tf_unsup3d.rendering.lighting import lamp


@pytest.fixture(scope="module")
def found(reconstructor, samples):
    return reconstructor(samples.pictures.numpy()[:2], steps=0)


def test_drawn_as_found_turned_and_lit(model, found):
    same = editing.draw(model, found)
    np.testing.assert_allclose(same, found.fits, atol=1e-4)
    turned = editing.draw(model, found, turn_degrees=(40.0, 0.0, 0.0))
    assert np.abs(turned - same).mean() > 0.01
    dark = editing.draw(model, found, lights=lamp(2, 180.0, 0.0, 0.0))
    assert dark.mean() < same.mean()
    assert editing.draw(model, found, resolution=24).shape == (2, 24, 24, 3)


def test_mixed_and_moved(model, found):
    first, second = found.styles[:1], found.styles[1:]
    np.testing.assert_array_equal(editing.mix(first, second, 0.0), first)
    np.testing.assert_allclose(editing.mix(first, second, 1.0), second, atol=1e-6)
    moved = editing.move(model, found.styles, axis=1, deviations=2.0)
    change = model.style_distribution.to_codes(moved) - (
        model.style_distribution.to_codes(found.styles)
    )
    expected = np.zeros([2, found.styles.shape[1]])
    expected[:, 1] = 2.0
    np.testing.assert_allclose(change, expected, atol=1e-3)
    edited = editing.with_styles(model, found, moved)
    assert np.abs(edited.scene.texture - found.scene.texture).max() > 0.01
    np.testing.assert_array_equal(edited.viewpoints_degrees, found.viewpoints_degrees)


def test_the_sheet_has_a_row_for_each_picture(model, found):
    sheet = reconstruction_sheet(model, found)
    one = reconstruction_sheet(model, found.take(slice(1)))
    assert sheet.shape[0] > one.shape[0] + 90 and sheet.shape[1] > 11 * 96
