import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.consistency.comparison import PairErrors, compare_pairs
from tf_unsup3d.evaluation.consistency.report import ConsistencyReport
from tf_unsup3d.evaluation.consistency.sheet import consistency_sheet
from tf_unsup3d.evaluation.consistency.variance import (
    VIEWPOINTS as VIEWPOINTS_OF_VARIANCE,
)
from tf_unsup3d.evaluation.consistency.variance import picture_variance
from tf_unsup3d.evaluation.consistency.views import view_pair, yaw_differences
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.geometry.portrait_viewpoints import PortraitViewpoints
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.geometry.viewpoints import GaussianViewpoints, UniformViewpoints
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import (
    RandomScenes,
    random_views,
    variance_key,
)

RENDERER = Renderer(resolution=32)
CAMERA = RENDERER.camera
DRAW = depth_drawing(RENDERER)
VIEWPOINTS = UniformViewpoints((30.0, 10.0, 0.0))
ALL_VIEW = {"latent": 0.0, "view": 1.0, "interaction": 0.0}
ALL_LATENT = {"latent": 1.0, "view": 0.0, "interaction": 0.0}
MEANS = FeatureNetwork(
    "means", "", "", lambda pictures: tf.reduce_mean(pictures, [1, 2])
)


def balls(count=10):
    """Balls of several colours with a dark left half, each with a viewpoint."""
    random = np.random.default_rng(0)
    vertices = np.repeat(0.6 * octahedral_sphere(8).directions[None], count, 0)
    texture = np.repeat(random.uniform(-1.0, 1.0, [count, 1, 1, 3]), 16, 1)
    texture = np.repeat(texture, 16, 2)
    texture[:, :, :8] *= 0.3
    scene = Scene(
        *(tf.constant(a, tf.float32) for a in (vertices, texture)),
        tf.zeros([count, 8, 8, 3]),
    )
    views = VIEWPOINTS.sample(count, tf.constant([0, 1]))

    def scenes():
        for part in (slice(0, 8), slice(8, count)):
            batch = Scene(*(value[part] for value in scene))
            yield RandomScenes(batch, views[part], None, None)

    return scenes


def of_one_object():
    """Many times the same."""
    scene, views, *_ = next(balls()())
    same = Scene(*(tf.repeat(value[:1], len(views), 0) for value in scene))
    return lambda: iter([RandomScenes(same, views, None, None)] * 2)


def test_pairs_are_as_far_apart_as_asked_and_within_the_viewpoints():
    views = VIEWPOINTS.sample(100, tf.constant([0, 0])).numpy()
    difference, largest = math.radians(40.0), math.radians(VIEWPOINTS.limits[0])
    first, second = view_pair(views, difference, largest)
    np.testing.assert_allclose(
        second - first, [[difference, 0.0, 0.0]] * 100, atol=1e-6
    )
    np.testing.assert_array_equal(first[:, 1:], views[:, 1:])
    assert max(np.abs(first).max(0)[0], second[:, 0].max()) <= largest + 1e-6
    middle = 0.5 * (first + second)[:, 0]
    free = np.abs(views[:, 0]) < largest - 0.5 * difference
    assert 10 < free.sum() < 90
    np.testing.assert_allclose(middle[free], views[free, 0], atol=1e-6)


def test_differences_beyond_the_viewpoints_are_left_out():
    assert yaw_differences(VIEWPOINTS) == [10.0, 20.0, 40.0]
    assert yaw_differences(GaussianViewpoints((8.0, 0, 0))) == [10.0, 20.0]
    with pytest.raises(UserError, match="10 degrees of yaw apart.* span 8"):
        yaw_differences(UniformViewpoints((4.0, 90.0, 0.0)))


def test_every_object_has_its_part_in_the_mean():
    pairs = compare_pairs(DRAW, balls(), VIEWPOINTS, CAMERA)
    assert list(pairs) == ["10", "20", "40"]
    for values in pairs.values():
        assert values["missed"] == 0
        assert values["depth_median"] < 0.01 < values["seen"]
        assert values["reprojection"] < 0.5 * values["unwarped"]
    assert pairs["10"]["seen"] > pairs["40"]["seen"]

    def black_but_for_the_last(scene, views):
        pictures, depth, mask = DRAW(scene, views)
        return (pictures if len(views) == 2 else 0.0 * pictures), depth, mask

    some = compare_pairs(black_but_for_the_last, balls(), VIEWPOINTS, CAMERA)
    assert 0.0 < some["20"]["unwarped"] < 0.5 * pairs["20"]["unwarped"]


def test_objects_without_common_pixels_count_as_missed():
    def unseen_by_some(scene, views):
        pictures, depth, mask = DRAW(scene, views)
        return pictures, depth, mask & (len(views) == 8)

    values = compare_pairs(unseen_by_some, balls(), VIEWPOINTS, CAMERA)["20"]
    assert values["missed"] == 2
    assert math.isfinite(values["reprojection"])


def test_variance_of_objects_that_are_all_the_same():
    shares = picture_variance(DRAW, of_one_object(), VIEWPOINTS, MEANS, 0)
    for part in shares.values():
        assert part == pytest.approx(ALL_VIEW, abs=1e-9)


def test_variance_of_objects_that_do_not_turn():
    def still(scene, views, framing):
        return DRAW(scene, 0.0 * views, framing=framing)

    shares = picture_variance(still, balls(), VIEWPOINTS, MEANS, 0)
    for part in shares.values():
        assert part == pytest.approx(ALL_LATENT, abs=1e-9)


def test_variance_of_objects_that_differ_and_turn():
    shares = picture_variance(DRAW, balls(), VIEWPOINTS, MEANS, 0)
    for part in shares.values():
        assert part["latent"] > 0.4 and part["interaction"] > 0.005
        assert sum(part.values()) == pytest.approx(1.0)
    assert shares["pixels"] != shares["features"]


def test_variance_is_that_of_aligned_pictures():
    portraits = PortraitViewpoints((20.0, 8.0, 0.0))
    drawn = []

    def recorded(scene, views, framing):
        drawn.append((views.numpy(), framing))
        return DRAW(scene, views, framing=framing)

    picture_variance(recorded, balls(), portraits, MEANS, 0)
    assert len(drawn) == 2 * VIEWPOINTS_OF_VARIANCE
    expected = random_views(portraits, VIEWPOINTS_OF_VARIANCE, variance_key(0))
    assert np.ptp(expected.framing.scale) > 0.02
    for index, (views, framing) in enumerate(drawn):
        index %= VIEWPOINTS_OF_VARIANCE
        count = 8 if len(views) == 8 else 2
        one = expected.viewpoints[index]
        np.testing.assert_array_equal(views, np.tile(one, [count, 1]))
        scale = [float(expected.framing.scale[index])] * count
        np.testing.assert_array_equal(framing.scale, np.float32(scale))
        np.testing.assert_array_equal(framing.shift, np.zeros([count, 2]))


def test_the_report_shows_everything():
    values = {"depth_median": 0.125, "depth_median_std": 0.25}
    for field in dataclasses.fields(PairErrors):
        values.setdefault(field.name, 0.5)
        values.setdefault(f"{field.name}_std", 0.75)
    shares = {"latent": 0.7, "view": 0.2, "interaction": 0.1}
    report = ConsistencyReport(
        {"features": "means"}, {"20": values | {"missed": 3}}, {"pixels": shares}
    )
    table = report.table()
    for words in ("20 degrees", "0.1250 ± 0.2500", "depth median", "0.700", "means"):
        assert words in table
    assert '"missed": 3' in report.to_json()


def test_sheet_is_black_where_the_views_agree():
    def glued(scene, views):
        """Colours that stay where they are in the picture."""
        _, depth, mask = DRAW(scene, views)
        ramp = tf.linspace(-1.0, 1.0, 32)[None, None, :, None]
        return tf.tile(ramp, [len(views), 32, 1, 3]), depth, mask

    brightness = []
    for draw in (DRAW, glued):
        sheet = consistency_sheet(draw, balls(), VIEWPOINTS, CAMERA, count=3)
        difference = sheet[40:, -95:-8]
        grey = difference[np.ptp(difference, -1) == 0][:, 0]
        brightness.append(grey[(grey != 128) & (grey != 255)].mean())
    assert brightness[0] < 20.0 < 40.0 < brightness[1]
