import math

import numpy as np
import pytest

from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.evaluation.shape import depth_metrics
from tf_unsup3d.evaluation.shape.ellipsoids import ellipsoid_residual
from tf_unsup3d.rendering.camera import PinholeCamera

SIZE = 32
CAMERA = PinholeCamera()


def compare(predicted, heads, mask=None):
    mask = heads.mask if mask is None else mask
    return depth_metrics.compare_depth(predicted, mask, heads.depth, heads.mask, CAMERA)


def ellipsoid(centre, axes, size=SIZE, inside=False):
    """Depth and mask of an ellipsoid, by intersecting the rays of the pixels."""
    rays = CAMERA.back_project(np.ones([size, size])) / axes
    start = (np.array([0.0, 0.0, -CAMERA.distance]) - centre) / axes
    a, b = (rays * rays).sum(-1), (rays * start).sum(-1)
    discriminant = b * b - a * (start @ start - 1.0)
    root = np.sqrt(np.maximum(discriminant, 0.0))
    depth = (-b + root if inside else -b - root) / a
    return depth[None], (discriminant > 0.0)[None]


def slow_errors(predicted, true, mask):
    """SIDE and MAD of one picture, pixel by pixel."""
    size = len(mask)
    tangent = math.tan(math.radians(5.0))

    def point(depth, row, column):
        x = (2.0 * (column + 0.5) / size - 1.0) * tangent
        y = (2.0 * (row + 0.5) / size - 1.0) * tangent
        return np.array([x, y, 1.0]) * float(depth[row, column])

    def normal(depth, row, column):
        right = point(depth, row, column + 1) - point(depth, row, column - 1)
        down = point(depth, row + 1, column) - point(depth, row - 1, column)
        across = np.cross(right, down)
        return across / math.sqrt(across @ across)

    logarithms, angles = [], []
    for row in range(1, size - 1):
        for column in range(1, size - 1):
            if mask[row - 1 : row + 2, column - 1 : column + 2].all():
                ratio = float(predicted[row, column]) / float(true[row, column])
                logarithms.append(math.log(ratio))
                first = normal(predicted, row, column)
                second = normal(true, row, column)
                cosine = min(1.0, max(-1.0, float(first @ second)))
                angles.append(math.degrees(math.acos(cosine)))
    return 100.0 * np.std(logarithms), np.mean(angles)


def test_truth_has_no_error(heads):
    errors = compare(heads.depth, heads)
    np.testing.assert_allclose(errors.side, 0.0, atol=1e-9)
    np.testing.assert_allclose(errors.mad, 0.0, atol=1e-9)
    np.testing.assert_allclose(errors.residual_correlation, 1.0)
    np.testing.assert_allclose(errors.mask_iou, 1.0)


def test_scaled_truth_has_no_error(heads):
    errors = compare(1.3 * heads.depth, heads)
    np.testing.assert_allclose(errors.side, 0.0, atol=1e-4)
    np.testing.assert_allclose(errors.mad, 0.0, atol=1e-3)
    np.testing.assert_allclose(errors.residual_correlation, 1.0, atol=1e-4)


def test_references_agree_with_pixel_by_pixel_loops(heads):
    flat = np.full_like(heads.depth, 11.0)
    weight = heads.mask.sum(0)
    average = heads.depth.sum(0) / np.maximum(weight, 1)
    average = np.broadcast_to(np.where(weight, average, 11.0), heads.depth.shape)
    for predicted in (flat, average):
        errors = compare(predicted, heads)
        for i in range(3):
            side, mad = slow_errors(predicted[i], heads.depth[i], heads.mask[i])
            assert side > 0.3 and mad > 5.0
            assert errors.side[i] == pytest.approx(side, rel=1e-5)
            assert errors.mad[i] == pytest.approx(mad, rel=1e-3)


def test_known_error_of_a_known_change(heads):
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.02, heads.depth.shape)
    errors = compare(heads.depth * np.exp(noise), heads)
    np.testing.assert_allclose(errors.side, 2.0, rtol=0.2)


def test_normals_agree_with_those_of_the_mesh(heads):
    normals = depth_metrics.normals_from_depth(heads.depth, CAMERA)
    inner = erode(heads.mask)
    np.testing.assert_allclose(np.linalg.norm(normals[inner], axis=-1), 1.0)
    assert np.all(normals[inner][:, 2] < 0.0)
    cosine = np.sum(normals * heads.normals, -1)[inner]
    assert np.median(cosine) > 0.97


def test_normals_of_a_tilted_plane():
    points = CAMERA.back_project(np.ones([8, 8]))
    normal = np.array([0.6, 0.0, -0.8])
    depth = 10.0 * normal[2] / (points @ normal)
    found = depth_metrics.normals_from_depth(depth, CAMERA)
    np.testing.assert_allclose(found, np.broadcast_to(normal, found.shape), atol=1e-6)


def test_erosion_takes_one_pixel_at_borders_and_corners():
    mask = np.zeros([1, 6, 6], bool)
    mask[0, :4, 1:5] = True
    expected = np.zeros_like(mask)
    expected[0, 1:3, 2:4] = True
    np.testing.assert_array_equal(erode(mask), expected)


def test_only_the_common_mask_counts(heads):
    half = heads.mask.copy()
    half[:, :, SIZE // 2 :] = False
    predicted = np.where(half, heads.depth, 1e-3)
    errors = compare(predicted, heads, half)
    np.testing.assert_allclose(errors.side, 0.0, atol=1e-9)
    expected = (half & heads.mask).sum((1, 2)) / heads.mask.sum((1, 2))
    np.testing.assert_allclose(errors.mask_iou, expected)


def test_missed_pictures_are_counted_and_left_out(heads):
    mask = heads.mask.copy()
    mask[:2] = False
    errors = compare(1.1 * heads.depth, heads, mask)
    assert np.isnan(errors.side[:2]).all() and np.isnan(errors.mad[:2]).all()
    summary = errors.summary()
    assert summary["missed"] == 2
    assert summary["side"] == pytest.approx(0.0, abs=1e-4)
    assert summary["mask_iou"] == pytest.approx(10 / 12)


def test_a_few_common_pixels_are_none(heads):
    errors = []
    for width in (5, 8):
        mask = np.zeros_like(heads.mask)
        mask[:, 12:17, 12 : 12 + width] = heads.mask[:, 12:17, 12 : 12 + width]
        errors.append(compare(heads.depth, heads, mask))
    # 3 x 3 pixels of the one are inside, up to 6 x 3 of the other.
    assert np.isnan(errors[0].side).all()
    assert np.isfinite(errors[1].side).any()


def test_summary_is_mean_and_deviation():
    values = np.array([1.0, 3.0, np.nan])
    errors = depth_metrics.DepthErrors(values, values, values, np.ones(3))
    summary = errors.summary()
    assert (summary["side"], summary["side_std"], summary["missed"]) == (2.0, 1.0, 1)


@pytest.mark.parametrize("size", [32, 64])
def test_nothing_is_left_of_an_ellipsoid(size):
    centre, axes = np.array([0.1, -0.05, 0.1]), np.array([0.6, 0.8, 0.5])
    for inside in (False, True):
        depth, mask = ellipsoid(centre, axes, size, inside)
        residual = ellipsoid_residual(depth, erode(mask), CAMERA)
        assert np.abs(residual).max() < 5e-3
        # Neither is anything left of a part of it.
        mask[:, : size // 2] = False
        residual = ellipsoid_residual(depth, erode(mask), CAMERA)
        assert np.abs(residual).max() < 5e-3


def test_relief_on_an_ellipsoid_is_left():
    depth, mask = ellipsoid(np.zeros(3), np.array([0.6, 0.8, 0.6]))
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    bump = np.exp(-((rows - 18.0) ** 2 + (columns - 15.0) ** 2) / 4.0)
    mask = erode(mask)
    residual = ellipsoid_residual(depth - 0.1 * bump, mask, CAMERA)
    assert np.corrcoef(residual[mask], -bump[mask[0]])[0, 1] > 0.7


def test_an_egg_or_a_card_has_no_residual_correlation_but_half_the_relief_has(heads):
    egg, egg_mask = ellipsoid(np.zeros(3), np.array([0.7, 0.8, 0.7]))
    egg = np.broadcast_to(egg, heads.depth.shape)
    errors = compare(egg, heads, heads.mask & egg_mask)
    assert abs(errors.summary()["residual_correlation"]) < 0.1
    card = compare(np.full_like(heads.depth, 11.0), heads)
    np.testing.assert_array_equal(card.residual_correlation, 0.0)
    plain = [
        np.corrcoef(egg[i][m], heads.depth[i][m])[0, 1]
        for i, m in enumerate(heads.mask & egg_mask)
    ]
    assert np.mean(plain) > 0.6

    flattened = np.where(heads.mask, 11.0 + 0.5 * (heads.depth - 11.0), 1.0)
    errors = compare(flattened, heads)
    assert errors.summary()["residual_correlation"] > 0.9
    hollow = np.where(heads.mask, 22.0 - heads.depth, 1.0)
    assert compare(hollow, heads).summary()["residual_correlation"] < -0.8


def test_unusable_depth_is_refused(heads):
    with pytest.raises(ValueError, match="predicted depth is not positive"):
        compare(-heads.depth, heads)
    with pytest.raises(ValueError, match="pictures, height, width"):
        compare(heads.depth[:2], heads)
