import itertools

import numpy as np
import pytest
import scipy.ndimage

from tf_unsup3d.evaluation.distribution.distances import (
    frechet_distance,
    kernel_distance,
)
from tf_unsup3d.evaluation.features.random_network import random_network

SIZE = 32


@pytest.fixture(scope="module")
def pictures():
    """Discs of random colours before clouds, more or less in the middle."""
    random = np.random.default_rng(0)
    clouds = random.normal(size=[600, SIZE, SIZE, 3])
    clouds = sum(
        scale * scipy.ndimage.gaussian_filter(clouds, (0, scale, scale, 0))
        for scale in (0.5, 1, 2, 4)
    )
    y, x = np.mgrid[:SIZE, :SIZE]
    centres = random.normal(SIZE / 2, 2.0, size=[600, 2, 1, 1])
    disc = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2 < 9.0**2
    colours = random.uniform(50.0, 220.0, size=[600, 1, 1, 3])
    painted = np.where(disc[..., None], colours, 128.0) + 25.0 * clouds
    return np.clip(np.rint(painted), 0, 255).astype(np.uint8)


def blurred(pictures, width):
    return scipy.ndimage.gaussian_filter(pictures, (0, width, width, 0))


def shifted(pictures, pixels):
    return np.roll(pictures, pixels, 2)


def noisy(pictures, deviation):
    noise = np.random.default_rng(1).normal(0.0, deviation, pictures.shape)
    return np.clip(np.rint(pictures + noise), 0, 255).astype(np.uint8)


def tinted(pictures, shift):
    return np.clip(pictures.astype(int) + [shift, 0, -shift], 0, 255).astype(np.uint8)


def alike(pictures, different):
    return pictures[np.arange(len(pictures)) % different]


@pytest.mark.parametrize(
    ("change", "amounts"),
    [
        (blurred, (0.5, 1.0, 2.0)),
        (shifted, (2, 4, 8)),
        (noisy, (8.0, 16.0, 32.0)),
        (tinted, (10, 20, 40)),
        (alike, (30, 10, 3)),
    ],
)
def test_random_network_ranks_how_much_pictures_are_spoilt(pictures, change, amounts):
    network = random_network(SIZE)
    real, other = (network.features([half]) for half in np.split(pictures, 2))
    found = [(frechet_distance(other, real), kernel_distance(other, real))]
    for amount in amounts:
        spoilt = network.features([change(pictures[300:], amount)])
        found.append((frechet_distance(spoilt, real), kernel_distance(spoilt, real)))
    for (fid, kid), (worse_fid, worse_kid) in itertools.pairwise(found):
        assert fid < worse_fid and kid < worse_kid
    assert found[-1][0] > 2.0 * found[0][0]


def test_random_network_by_hand(pictures):
    """A 16 x 16 picture has two bands: what 2 x 2 means take away, and those means."""
    random = np.random.RandomState(0)
    kernels = [
        random.standard_normal((3, 3, i, o)) * np.sqrt(2.0 / (9 * i))
        for _ in range(2)
        for i, o in ((3, 32), (32, 4))
    ]
    picture = pictures[0, 8:24, 8:24] / 127.5 - 1.0
    coarse = picture.reshape(8, 2, 8, 2, 3).mean((1, 3))
    detail = picture - np.kron(coarse, np.ones([2, 2, 1]))
    expected = []
    for band, pair in ((detail, kernels[:2]), (coarse, kernels[2:])):
        for kernel in pair:
            filtered = [
                sum(
                    scipy.ndimage.correlate(
                        band[..., i], kernel[..., i, o], mode="constant"
                    )
                    for i in range(band.shape[-1])
                )
                for o in range(kernel.shape[-1])
            ]
            band = np.maximum(np.stack(filtered, -1), 0.0)
        cell = len(band) // 4
        expected.append(band.reshape(4, cell, 4, cell, 4).mean((1, 3)).ravel())
    found = random_network(16).features([pictures[:1, 8:24, 8:24]])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[0], 8.0 * np.concatenate(expected), rtol=1e-4)


def test_features_do_not_depend_on_batches(pictures):
    network = random_network(SIZE)
    at_once = network.features([pictures[:5]])
    in_parts = network.features([pictures[:2], pictures[2:5]])
    assert at_once.shape == (5, 192)
    np.testing.assert_allclose(at_once, in_parts, rtol=1e-5, atol=1e-6)
