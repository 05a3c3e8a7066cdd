import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.style_distribution import StyleDistribution


@pytest.fixture(scope="module")
def generator(small_bindings):
    return Configuration.from_files([], small_bindings).make_generator()


@pytest.fixture(scope="module")
def distribution(generator):
    return StyleDistribution.of_generator(generator)


def test_codes_of_random_styles_are_uncorrelated_and_of_unit_variance(
    generator, distribution
):
    latents = tf.random.stateless_normal([8192, generator.latent_size], [1, 2])
    codes = distribution.to_codes(generator.styles(latents)).numpy()
    np.testing.assert_allclose(codes.mean(0), 0.0, atol=0.06)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(len(codes.T)), atol=0.1)


def test_codes_and_styles_are_inverse(generator, distribution):
    latents = tf.random.stateless_normal([3, generator.latent_size], [3, 4])
    styles = generator.styles(latents)
    again = distribution.to_styles(distribution.to_codes(styles))
    np.testing.assert_allclose(again, styles, atol=1e-4)


def test_axes_are_orthogonal_and_sorted(distribution):
    axes = distribution.axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-5)
    assert np.all(np.diff(distribution.deviations) <= 0.0)
    assert distribution.deviations[-1] > 0.0
