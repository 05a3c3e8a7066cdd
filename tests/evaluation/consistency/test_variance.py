import numpy as np
import pytest

from tf_unsup3d.evaluation.consistency import variance
from tf_unsup3d.evaluation.consistency.variance import variance_shares

LATENTS, VIEWS, SIZE = 5, 4, 7


@pytest.fixture
def random():
    return np.random.default_rng(0)


def by_loops(values):
    """The three sums of squares, straight from their definition."""
    latents, views = values.shape[:2]
    mean = values.mean((0, 1))
    latent = view = interaction = 0.0
    for i in range(latents):
        for j in range(views):
            of_latent, of_view = values[i].mean(0) - mean, values[:, j].mean(0) - mean
            latent += np.sum(of_latent**2)
            view += np.sum(of_view**2)
            rest = values[i, j] - mean - of_latent - of_view
            interaction += np.sum(rest**2)
    total = np.sum((values - mean) ** 2)
    return [latent / total, view / total, interaction / total]


@pytest.mark.parametrize("chunk", [3, 4096])
def test_agrees_with_the_definition(random, chunk, monkeypatch):
    monkeypatch.setattr(variance, "_CHUNK", chunk)
    values = random.integers(0, 256, [LATENTS, VIEWS, SIZE]).astype(np.uint8)
    shares = variance_shares(values)
    expected = by_loops(values.astype(np.float64))
    assert list(shares.values()) == pytest.approx(expected, rel=1e-12)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_generator_that_ignores_its_latent(random):
    of_view = random.normal(size=[1, VIEWS, SIZE])
    shares = variance_shares(np.repeat(of_view, LATENTS, 0))
    assert shares == pytest.approx({"latent": 0.0, "view": 1.0, "interaction": 0.0})


def test_objects_that_do_not_turn(random):
    of_latent = random.normal(size=[LATENTS, 1, SIZE])
    shares = variance_shares(np.repeat(of_latent, VIEWS, 1))
    assert shares == pytest.approx({"latent": 1.0, "view": 0.0, "interaction": 0.0})


def test_effects_that_add_do_not_interact():
    of_latent = np.array([-1.0, 1.0])[:, None, None]
    of_view = np.array([-2.0, 0.0, 2.0])[:, None]
    shares = variance_shares(100.0 + of_latent + of_view)
    # The variances are 1 and 8/3.
    assert shares == pytest.approx({"latent": 3 / 11, "view": 8 / 11, "interaction": 0})
    product = variance_shares(of_latent * of_view)
    assert product == pytest.approx({"latent": 0.0, "view": 0.0, "interaction": 1.0})


def test_nothing_varies():
    assert set(variance_shares(np.ones([3, 3, 2])).values()) == {0.0}
