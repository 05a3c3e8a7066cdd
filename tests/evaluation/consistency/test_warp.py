"""Comparison of views, on balls whose pictures and depth are known in closed form."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.consistency.comparison import compare_views
from tf_unsup3d.evaluation.consistency.views import View, draw_view, object_radius
from tf_unsup3d.evaluation.consistency.warp import OCCLUSION, warp
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

SIZE = 64
CAMERA = PinholeCamera()
DISTANCE = CAMERA.distance
RADIUS = np.array([0.6])
# Centre and radius: a ball beside the axis, and a nose on it.
BALL = [((0.1, -0.05, 0.1), 0.6)]
NOSE = [*BALL, ((0.0, 0.0, -0.6), 0.2)]
A, B = np.radians([[[-15.0, 5.0, 3.0]], [[20.0, -8.0, 0.0]]])


def rotation(viewpoints):
    return rotation_matrices(tf.constant(viewpoints)).numpy()[0]


def first_hit(origins, directions, balls):
    """How far along rays [..., 3] they first meet a ball; infinity for none."""
    nearest = np.full(directions.shape[:-1], np.inf)
    for centre, radius in balls:
        offset = origins - np.asarray(centre)
        a = np.sum(directions**2, -1)
        b = np.sum(directions * offset, -1)
        inside = b**2 - a * (np.sum(offset**2, -1) - radius**2)
        hit = (-b - np.sqrt(np.maximum(inside, 0.0))) / a
        nearest = np.where(
            (inside > 0.0) & (hit > 0.0), np.minimum(hit, nearest), nearest
        )
    return nearest


def colours(points):
    return np.stack([np.sin(7.0 * points[..., i] + i) for i in range(3)], -1)


def camera_of(viewpoints):
    """The camera's place in the axes of the object."""
    return rotation(viewpoints).T @ [0.0, 0.0, -DISTANCE]


def draw(balls, viewpoints, paint=lambda fixed, seen: colours(fixed)):
    """A view by ray casting, its colour a function of the point on the object.

    `paint` is given that point in the object's axes and in those of the camera.
    """
    slope = np.tan(0.5 * CAMERA.field_of_view)
    across = (2.0 * (np.arange(SIZE) + 0.5) / SIZE - 1.0) * slope
    rays = np.stack([*np.meshgrid(across, across), np.ones([SIZE, SIZE])], -1)
    # Row vectors times R are turned back by R.
    turn = rotation(viewpoints)
    depth = first_hit(camera_of(viewpoints), rays @ turn, balls)
    mask = np.isfinite(depth)
    depth = np.where(mask, depth, 0.0)
    points = rays * depth[..., None] - [0.0, 0.0, DISTANCE]
    picture = np.where(mask[..., None], paint(points @ turn, points), 0.0)
    return View(picture[None], depth[None], mask[None], viewpoints)


def test_a_consistent_object_agrees_with_itself():
    errors = compare_views(draw(BALL, A), draw(BALL, B), RADIUS, CAMERA)
    # What is left is the curvature within a pixel of 1/32.
    assert errors.reprojection[0] < 0.01 and errors.unwarped[0] > 0.2
    assert errors.depth_median[0] < 2e-3 and errors.depth_mean[0] < 4e-3
    assert 0.5 < errors.seen[0] < 0.9


def test_a_view_agrees_with_itself_exactly():
    view = draw(NOSE, B)
    warped = warp(view, view, RADIUS, CAMERA)
    assert warped.seen.sum() > 0.6 * view.mask.sum()
    assert not np.any(warped.seen & ~erode(view.mask))
    np.testing.assert_allclose(
        warped.pictures[warped.seen], view.pictures[warped.seen], atol=1e-6
    )
    assert np.abs(warped.depth_error[warped.seen]).max() < 1e-6


def test_the_rim_of_either_mask_is_left_out():
    view = draw(BALL, B)
    half = dataclasses.replace(view, mask=view.mask & (np.arange(SIZE) >= SIZE // 2))
    for pair in ((half, view), (view, half)):
        seen = warp(*pair, RADIUS, CAMERA).seen
        assert seen.any() and not np.any(seen & ~erode(half.mask))


def test_wrong_depth_shows_in_depth_and_colours():
    right = [draw(BALL, viewpoints) for viewpoints in (A, B)]
    errors = [compare_views(*right, RADIUS, CAMERA)]
    for relief in (0.8, 0.5, 0.0):
        wrong = [
            dataclasses.replace(
                view,
                depth=np.where(
                    view.mask, DISTANCE + relief * (view.depth - DISTANCE), 0.0
                ),
            )
            for view in right
        ]
        errors.append(compare_views(*wrong, RADIUS, CAMERA))
    for name in ("depth_median", "depth_mean", "reprojection"):
        values = [getattr(error, name)[0] for error in errors]
        assert values == sorted(values), name
        assert values[1] > 3.0 * values[0], name


def test_colours_that_depend_on_the_view_show_in_colours_alone():
    def glued_to_the_picture(fixed, seen):
        return colours(seen)

    errors = [
        compare_views(draw(BALL, A, paint), draw(BALL, B, paint), RADIUS, CAMERA)
        for paint in (lambda fixed, seen: colours(fixed), glued_to_the_picture)
    ]
    assert errors[1].reprojection[0] > 0.2 > 20.0 * errors[0].reprojection[0]
    assert errors[1].depth_mean[0] == errors[0].depth_mean[0]
    # A picture that does not change needs no warping.
    assert errors[1].unwarped[0] < 0.5 * errors[1].reprojection[0]


def test_what_the_other_view_hides_is_left_out():
    a, b = np.radians([[[-30.0, 0.0, 0.0]], [[30.0, 0.0, 0.0]]])
    view = draw(NOSE, b)
    seen = warp(draw(NOSE, a), view, RADIUS, CAMERA).seen[0]
    # Rays from A's camera to the points that B sees.
    slope = np.tan(0.5 * CAMERA.field_of_view)
    across = (2.0 * (np.arange(SIZE) + 0.5) / SIZE - 1.0) * slope
    rays = np.stack([*np.meshgrid(across, across), np.ones([SIZE, SIZE])], -1)
    points = rays * view.depth[0, ..., None] - [0.0, 0.0, DISTANCE]
    towards = points @ rotation(b) - camera_of(a)
    hit = first_hit(camera_of(a), towards, NOSE)
    behind = (1.0 - hit) * np.linalg.norm(towards, axis=-1)
    hidden = view.mask[0] & (behind > 1.1 * OCCLUSION * RADIUS)
    assert hidden.sum() > 100 and not np.any(seen & hidden)
    # Of the large ball, what A looks at squarely is compared but around the nose.
    normals = points @ rotation(b) - BALL[0][0]
    distances = np.linalg.norm(normals, axis=-1)
    facing = -np.sum(normals * towards, -1)
    facing /= distances * np.linalg.norm(towards, axis=-1)
    large = np.abs(distances - BALL[0][1]) < 1e-3
    open_to_a = erode(view.mask)[0] & large & (behind < 1e-6) & (facing > 0.5)
    assert open_to_a.sum() > 150 and seen[open_to_a].mean() > 0.75


def test_a_point_before_the_surface_is_wrong_and_one_behind_is_hidden():
    a, b = draw(BALL, A), draw(BALL, B)
    farther = dataclasses.replace(a, depth=np.where(a.mask, a.depth + 0.3, 0.0))
    errors = compare_views(farther, b, RADIUS, CAMERA)
    assert errors.depth_median[0] == pytest.approx(0.5, abs=0.01)
    nearer = dataclasses.replace(a, depth=np.where(a.mask, a.depth - 0.3, 0.0))
    errors = compare_views(nearer, b, RADIUS, CAMERA)
    assert errors.seen[0] == 0.0
    assert np.isnan(errors.reprojection[0]) and np.isnan(errors.depth_mean[0])


def test_errors_are_of_the_range_of_colours_and_of_the_size():
    a = draw(BALL, A, lambda fixed, seen: np.full_like(fixed, -1.0))
    b = draw(BALL, A, lambda fixed, seen: np.full_like(fixed, 1.0))
    errors = compare_views(a, b, RADIUS, CAMERA)
    assert errors.reprojection[0] == pytest.approx(1.0)
    # Carver's error is squared, and its colours range over 2.
    assert errors.RE[0] == pytest.approx(4.0)
    middle = dataclasses.replace(
        b, pictures=np.where(b.mask[..., None], 0.0, b.pictures)
    )
    assert compare_views(a, middle, RADIUS, CAMERA).RE[0] == pytest.approx(1.0)
    b = dataclasses.replace(b, depth=np.where(b.mask, b.depth - 0.1, 0.0))
    small, large = (compare_views(a, b, np.array([r]), CAMERA) for r in (0.6, 1.2))
    assert small.depth_mean[0] == pytest.approx(2.0 * large.depth_mean[0])


def test_objects_are_compared_each_with_itself():
    views = [[draw(balls, v) for balls in (BALL, NOSE)] for v in (A, B)]
    joined = [
        View(*(np.concatenate(part) for part in zip(*map(fields, pair), strict=True)))
        for pair in views
    ]
    both = compare_views(*joined, np.repeat(RADIUS, 2), CAMERA)
    for number in range(2):
        alone = compare_views(views[0][number], views[1][number], RADIUS, CAMERA)
        for field in dataclasses.fields(alone):
            expected = getattr(alone, field.name)[0]
            assert getattr(both, field.name)[number] == pytest.approx(expected)


def fields(view):
    return [getattr(view, field.name) for field in dataclasses.fields(view)]


# Nearer, with a wider view, and neither level nor centred on the object.
POSED = PinholeCamera(
    field_of_view=math.radians(40.0),
    principal_point=(0.45, 0.55),
    pose=((0.8, 0.0, 0.6, 0.1), (0.0, 1.0, 0.0, -0.05), (-0.6, 0.0, 0.8, 3.0)),
)


@pytest.mark.parametrize(
    ("margin", "camera"), [(0.0, CAMERA), (1.0, CAMERA), (1.0, POSED)]
)
def test_the_renderer_agrees_with_itself(margin, camera):
    """The finer the pictures, the better: what is left is resampling."""
    found = []
    for size in (32, 64):
        renderer = Renderer(resolution=size, margin=margin, camera=camera)
        vertices = octahedral_sphere(16).directions[None]
        vertices = vertices * np.float32([0.5, 0.7, 0.6])
        steps = np.linspace(-1.0, 1.0, 32)
        texture = colours(np.stack(np.meshgrid(steps, steps, [0.0]), -1)[:, :, 0])
        scene = Scene(
            tf.constant(vertices + np.float32([0.1, 0.0, 0.0])),
            tf.constant(texture[None], tf.float32),
            tf.zeros([1, 16, 16, 3]),
        )
        draw = depth_drawing(renderer)
        pair = [draw_view(draw, scene, viewpoints) for viewpoints in (A, B)]
        found.append(compare_views(*pair, object_radius(vertices), camera))
    coarse, fine = found
    for name in ("reprojection", "depth_median"):
        assert getattr(fine, name)[0] < 0.6 * getattr(coarse, name)[0]
    assert fine.reprojection[0] < 0.002 and fine.unwarped[0] > 0.02
    assert fine.depth_median[0] < 2e-3
    assert fine.seen[0] > coarse.seen[0] > 0.3


def test_radius_of_a_ball_anywhere():
    ball = octahedral_sphere(8).directions
    vertices = np.stack([0.5 * ball + [1.0, 2.0, 3.0], 2.0 * ball])
    np.testing.assert_allclose(object_radius(vertices), [0.5, 2.0], rtol=0.01)
