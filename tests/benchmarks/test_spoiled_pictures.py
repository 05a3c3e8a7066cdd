"""Pictures that the benchmark of reconstruction spoils."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.spoiled_pictures import SPOILED, shift, spoil
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.rendering.camera import PinholeCamera


@pytest.fixture(scope="module")
def pairs():
    random = np.random.default_rng(0)
    small = random.integers(60, 200, [2, 8, 8, 3]).astype(np.uint8)
    large = [Image.fromarray(picture).resize((64, 64)) for picture in small]
    pictures = [np.asarray(picture) for picture in large]
    mask = np.zeros([2, 64, 64], bool)
    mask[:, 16:48, 16:48] = True
    depth = np.where(mask, 5.0, 0.0).astype(np.float32)
    return DepthPairs(np.stack(pictures), depth, mask, PinholeCamera())


@pytest.mark.parametrize("name", SPOILED)
def test_pictures_are_spoiled_and_the_truth_is_not(pairs, name):
    spoiled = spoil(pairs, SPOILED[name], seed=0)
    assert spoiled.pictures.shape == pairs.pictures.shape
    assert spoiled.pictures.dtype == np.uint8
    assert spoiled.depth is pairs.depth and spoiled.mask is pairs.mask
    change = np.abs(spoiled.pictures - pairs.pictures.astype(float)).mean()
    if name in ("as it is", "from 2048 x 2048 pixels"):
        assert change < 0.3
    else:
        assert 0.3 < change < 100.0
    again = spoil(pairs, SPOILED[name], seed=0)
    np.testing.assert_array_equal(spoiled.pictures, again.pictures)


def test_darkness_is_that_of_its_name(pairs):
    means = [
        spoil(pairs, SPOILED[name], seed=0).pictures.mean()
        for name in ("as it is", "half as bright", "a quarter as bright")
    ]
    np.testing.assert_allclose(means[1:], [means[0] / 2, means[0] / 4], rtol=0.02)


def test_a_covering_square_has_its_size(pairs):
    name = "a square of 3/8 of the width in front"
    spoiled = spoil(pairs, SPOILED[name], seed=0).pictures
    covered = (spoiled != pairs.pictures).any(-1).sum((1, 2))
    assert (0.95 * 24**2 <= covered).all() and (covered <= 24**2).all()


def test_truth_moves_with_the_picture(pairs):
    moved = shift(pairs, 1 / 8)
    before, after = pairs.pictures[:, :-8, :-8], moved.pictures[:, 8:, 8:]
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(moved.depth[:, 24:56, 24:56], 5.0)
    assert moved.mask.sum() == pairs.mask.sum()
    assert moved.mask[:, 24:56, 24:56].all()
