import dataclasses

import numpy as np
import pytest

from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.render import render_heads
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.camera import PinholeCamera

RESOLUTION = 32


@pytest.fixture(scope="module")
def model():
    return procedural_head_model(24)


@pytest.fixture(scope="module")
def heads(model):
    return [sample_head(model, np.random.default_rng([7, i])) for i in range(6)]


@pytest.fixture(scope="module")
def rendered(model, heads):
    return render_heads(model, heads, RESOLUTION)


def turned(vertices, viewpoint):
    """Yaw about y, then pitch about x, each by the right-hand rule."""
    yaw, pitch, roll = viewpoint.astype(np.float64)
    assert roll == 0.0
    c, s = np.cos(yaw), np.sin(yaw)
    about_y = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return vertices.astype(np.float64) @ (about_x @ about_y).T


def first_hit(vertices, triangles, ray):
    """Depth z of the nearest triangle on a ray from the camera, or infinity."""
    origin = np.array([0.0, 0.0, -PinholeCamera().distance])
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    matrix = np.stack([b - a, c - a, np.broadcast_to(-ray, a.shape)], -1)
    u, v, z = np.linalg.solve(matrix, (origin - a)[..., None])[..., 0].T
    hit = (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & (z > 0.0)
    return np.min(z[hit], initial=np.inf)


def test_pictures_are_rgb_bytes_with_contrast(rendered):
    assert rendered.pictures.shape == (6, RESOLUTION, RESOLUTION, 3)
    assert rendered.pictures.dtype == np.uint8
    assert np.all(rendered.pictures.reshape(6, -1).std(-1) > 10.0)


def test_depth_and_mask_agree_with_rays_through_the_pixel_centres(
    model, heads, rendered
):
    camera = PinholeCamera()
    focal = 0.5 * RESOLUTION / np.tan(0.5 * camera.field_of_view)
    rng = np.random.default_rng(0)
    for i in (0, 1):
        vertices = turned(heads[i].vertices(model), heads[i].viewpoint)
        for row, column in rng.integers(2, RESOLUTION - 2, (12, 2)):
            offset = np.array([column, row]) + 0.5 - 0.5 * RESOLUTION
            ray = np.array([*(offset / focal), 1.0])
            depth = first_hit(vertices, model.triangles, ray)
            assert rendered.mask[i, row, column] == np.isfinite(depth)
            if np.isfinite(depth):
                assert rendered.depth[i, row, column] == pytest.approx(depth, abs=1e-3)


def test_normals_are_unit_and_face_the_camera(rendered):
    normals = rendered.normals[rendered.mask]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    # Interpolated normals may lean away a little at the silhouette.
    assert np.mean(normals[:, 2] < 0.0) > 0.97
    assert np.mean(normals[:, 2]) < -0.5
    assert not rendered.normals[~rendered.mask].any()
    assert not rendered.depth[~rendered.mask].any()


def test_normals_agree_with_the_slope_of_the_depth(rendered):
    camera = PinholeCamera()
    centers = np.arange(RESOLUTION) + 0.5 - 0.5 * RESOLUTION
    focal = 0.5 * RESOLUTION / np.tan(0.5 * camera.field_of_view)
    across, down = np.meshgrid(centers / focal, centers / focal)
    rays = np.stack([across, down, np.ones_like(across)], -1)
    points = rendered.depth[..., None] * rays
    # Central differences; pixels at depth steps are left out.
    dx = points[:, 1:-1, 2:] - points[:, 1:-1, :-2]
    dy = points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    slopes = np.cross(dy, dx)
    slopes /= np.maximum(np.linalg.norm(slopes, axis=-1, keepdims=True), 1e-9)
    smooth = (np.abs(dx[..., 2]) < 0.15) & (np.abs(dy[..., 2]) < 0.15)
    smooth &= rendered.mask[:, 1:-1, 1:-1]
    agreement = np.sum(slopes * rendered.normals[:, 1:-1, 1:-1], -1)[smooth]
    assert smooth.sum() > 500
    assert np.median(agreement) > 0.97


def test_a_camera_on_its_side_sees_heads_on_their_side(model, heads):
    roll, distance = 0.5, PinholeCamera().distance
    c, s = np.cos(roll), np.sin(roll)
    pose = [[c, -s, 0.0, 0.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, distance]]
    camera = PinholeCamera(pose=pose)
    seen = render_heads(model, heads[:2], RESOLUTION, camera=camera)
    rolled = [
        dataclasses.replace(
            head, viewpoint=np.append(head.viewpoint[:2], np.float32(roll))
        )
        for head in heads[:2]
    ]
    expected = render_heads(model, rolled, RESOLUTION)
    both = seen.mask & expected.mask
    assert both.mean() > 0.2 and np.mean(seen.mask != expected.mask) < 0.005
    for name in ("depth", "normals", "pictures"):
        first, second = getattr(seen, name)[both], getattr(expected, name)[both]
        assert np.median(np.abs(first - second.astype(float))) < 1e-3, name


def test_mask_area_is_that_of_a_head(rendered):
    area = rendered.mask.mean((1, 2))
    assert area.min() > 0.2 and area.max() < 0.7


def test_positive_yaw_turns_the_nose_to_the_left(model, heads):
    bald = dataclasses.replace(heads[0].hairstyle, amount=0.0)
    views = [
        dataclasses.replace(
            heads[0], hairstyle=bald, viewpoint=np.float32([yaw, 0.0, 0.0])
        )
        for yaw in (0.6, -0.6)
    ]
    depth = render_heads(model, views, RESOLUTION).depth
    nearest = np.where(depth > 0.0, depth, np.inf).reshape(2, -1).argmin(-1)
    left, right = nearest % RESOLUTION
    assert left < 0.5 * RESOLUTION - 3 and right > 0.5 * RESOLUTION + 3


def test_a_picture_does_not_depend_on_its_batch(model, heads, rendered):
    alone = render_heads(model, heads[3:4], RESOLUTION)
    np.testing.assert_array_equal(alone.pictures[0], rendered.pictures[3])
    np.testing.assert_array_equal(alone.depth[0], rendered.depth[3])


def test_both_backends_draw_the_same_head(heads):
    model = procedural_head_model(8)
    pictures = [
        render_heads(model, heads[:1], 16, backend=backend).pictures.astype(int)
        for backend in ("op", "portable")
    ]
    assert np.mean(np.abs(pictures[0] - pictures[1]) > 2) < 0.01


def test_heads_differ_in_shape_and_colour(rendered):
    masks = rendered.mask.reshape(6, -1)
    skin = rendered.pictures[:, 14:20, 14:20].mean((1, 2))
    assert len({mask.tobytes() for mask in masks}) == 6
    assert np.std(skin, axis=0).max() > 15.0
