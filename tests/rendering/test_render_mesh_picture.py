"""What the picture shows, against values worked out by hand."""

import numpy as np
import pytest

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.camera import PinholeCamera

BACKENDS = ["op", "portable"]


@pytest.fixture
def draw_mask(render_inputs):
    """Draws the last channel, ones on every surface and zeros behind."""

    def draw(inputs, **options):
        picture, _ = render_inputs(**inputs, **options)
        return picture.numpy()[0, ..., -1]

    return draw


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_counter_clockwise_triangles_are_drawn(
    backend, quad_inputs, render_inputs
):
    inputs = quad_inputs(6, 6)
    front, ids = render_inputs(**inputs, margin=0.0, backend=backend)
    np.testing.assert_allclose(front.numpy()[..., -1], 1, rtol=1e-12)
    assert set(np.unique(ids)) == {0, 1}
    inputs["triangles"] = inputs["triangles"][:, ::-1]
    inputs["uv_triangles"] = inputs["uv_triangles"][:, ::-1]
    inputs["neighbors"] = inputs["neighbors"][:, ::-1]
    back, ids = render_inputs(**inputs, backend=backend)
    assert np.all(back.numpy()[..., -1] == 0)
    assert np.all(ids.numpy() == -1)
    both, ids = render_inputs(**inputs, cull_backfaces=False, backend=backend)
    np.testing.assert_allclose(both, front, rtol=1e-12)
    assert set(np.unique(ids)) == {0, 1}


@pytest.mark.parametrize("backend", BACKENDS)
def test_inclusive_edges_leave_no_cracks(backend, quad_inputs, draw_mask):
    """The diagonal passes through pixel centres, and so does the outline."""
    inputs = quad_inputs(8, 8, box=(1.5, 1.5, 6.5, 6.5))
    mask = draw_mask(inputs, margin=0.0, backend=backend)
    expected = np.zeros([8, 8])
    expected[1:7, 1:7] = 1
    np.testing.assert_allclose(mask, expected, rtol=1e-12)


def test_no_cracks_between_tiny_triangles(draw_mask):
    sphere = octahedral_sphere(40)
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        size = 64
        radius = 1 + rng.uniform(0, 0.001, [len(sphere.directions), 1])
        points = PinholeCamera().project(
            (0.9 * radius * sphere.directions)[None].astype(dtype), size, size
        )
        inputs = {
            "vertices": points,
            "triangles": sphere.triangles,
            "neighbors": sphere.neighbors,
            "uv": sphere.uv.astype(dtype),
            "uv_triangles": sphere.uv_triangles,
            "texture": np.zeros([1, 1, 1, 0], dtype),
            "attributes": np.ones([1, len(sphere.directions), 1], dtype),
            "background": np.zeros([1, size, size, 1], dtype),
        }
        mask = draw_mask(inputs, margin=0.0)
        center = (np.arange(size) + 0.5 - size / 2) ** 2
        inside = center[:, None] + center < (0.8 * size / 2) ** 2
        np.testing.assert_allclose(mask[inside], 1, rtol=1e-6)
        # The soft layer leaves the inside of a surface alone.
        np.testing.assert_array_equal(
            draw_mask(inputs, margin=1.0)[inside], mask[inside]
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_nearest_triangle_wins_and_ties_go_to_the_lower_index(
    backend, quad_inputs, merge_inputs, render_inputs
):
    far, near = quad_inputs(4, 4, depths=[2] * 4), quad_inputs(4, 4)
    _, ids = render_inputs(**merge_inputs(far, near), backend=backend)
    assert set(np.unique(ids)) == {2, 3}
    _, ids = render_inputs(**merge_inputs(near, near), backend=backend)
    assert set(np.unique(ids)) == {0, 1}


@pytest.mark.parametrize("backend", BACKENDS)
def test_interpolation_is_perspective_correct(backend, quad_inputs, render_inputs):
    """A floor: depth 1 at the bottom edge, 3 at the top edge."""
    height, width = 8, 6
    inputs = quad_inputs(height, width, depths=(3, 3, 1, 1))
    inputs["attributes"] = np.array([[[1.0], [1.0], [0.0], [0.0]]])
    picture, _ = render_inputs(**inputs, margin=0.0, backend=backend)
    along = (np.arange(height) + 0.5) / height  # from top to bottom
    inverse_depth = (1 - along) / 3 + along
    expected = (1 - along) / 3 / inverse_depth
    for column in range(width):
        np.testing.assert_allclose(
            picture[0, :, column, -1], expected, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_soft_edge_fades_over_the_margin(backend, quad_inputs, draw_mask):
    """Left edge at 3.25: centres at distances 2.75, 1.75 and 0.75."""
    inputs = quad_inputs(9, 12, box=(3.25, -20, 30, 30))
    row = draw_mask(inputs, margin=2.5, backend=backend)[4]
    np.testing.assert_allclose(row[:4], [0, 1 - 1.75 / 2.5, 1 - 0.75 / 2.5, 1])
    row = draw_mask(inputs, margin=0.0, backend=backend)[4]
    np.testing.assert_allclose(row, [0] * 3 + [1] * 9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("gap, opacity", [(0.5, 0.6), (0.01, 0.2), (0.004, 0.0)])
def test_soft_edge_recedes_into_a_surface_close_behind(
    backend, gap, opacity, quad_inputs, merge_inputs, draw_mask
):
    """Left edge at 3.9, so the centre 3.5 is 0.4 margins away; it recedes by 2%."""
    front = quad_inputs(9, 12, box=(3.9, -20, 30, 30))
    behind = quad_inputs(9, 12, depths=[1 + gap] * 4)
    behind["attributes"] = np.zeros([1, 4, 1])
    inputs = merge_inputs(front, behind)
    picture = draw_mask(inputs, depth_push=0.02, backend=backend)
    np.testing.assert_allclose(picture[4, 3], opacity, atol=1e-6)
    np.testing.assert_allclose(picture[4, 4], 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_edges_of_one_outline_do_not_count_twice(backend, quad_inputs, draw_mask):
    """Two edges meet at the corner (4.2, 4.3), one pixel is near to both."""
    inputs = quad_inputs(9, 9, box=(4.2, 4.3, 30, 30))
    mask = draw_mask(inputs, margin=2.0, backend=backend)
    distance = np.hypot(4.2 - 3.5, 4.3 - 3.5)
    np.testing.assert_allclose(mask[3, 3], 1 - distance / 2)
    np.testing.assert_allclose(mask[3, 6], 1 - 0.8 / 2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("near_border", [1e-7, 0.0, -0.5, -20.0])
def test_floor_that_reaches_behind_the_camera(
    backend, near_border, quad_inputs, draw_mask
):
    """Row y shows it at the depth 6 / (y - 2), up to its far border at the depth 5."""
    inputs = quad_inputs(8, 6)
    depths = np.array([5, 5, near_border, near_border])
    sides = np.array([-20, 20, -20, 20])
    inputs["vertices"] = np.stack([3 * depths + sides, 2 * depths + 6, depths], -1)[
        None
    ]
    inputs["attributes"] = depths[None, :, None]
    drawn = draw_mask(inputs, margin=0.0, backend=backend)
    rows = np.arange(8) + 0.5
    expected = np.where(rows > 2 + 6 / 5, 6 / (rows - 2), 0)
    np.testing.assert_allclose(drawn, np.broadcast_to(expected[:, None], [8, 6]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_triangle_behind_the_camera_is_not_seen(backend, quad_inputs, render_inputs):
    inputs = quad_inputs(6, 6)
    inputs["vertices"] *= -1
    for depth in (-1.0, 0.0):
        inputs["vertices"][..., 2] = depth
        picture, ids = render_inputs(**inputs, backend=backend)
        assert np.all(picture == 0) and np.all(ids == -1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_soft_edge_of_an_edge_that_reaches_behind_the_camera(
    backend, quad_inputs, draw_mask
):
    """The left border of a floor runs from (6, 2.5) down to the left, by 3 to 4."""
    inputs = quad_inputs(9, 12)
    depths = np.array([10.0, 10.0, -1.0, -1.0])
    # The vanishing point is (6.3, 2.1), a unit of depth further the border is 3 and 4
    # pixels away.
    sides = np.array([-3, 60, -3, 60])
    drops = np.array([4, 4, 4, 4])
    inputs["vertices"] = np.stack(
        [6.3 * depths + sides, 2.1 * depths + drops, depths], -1
    )[None]
    mask = draw_mask(inputs, margin=2.0, backend=backend)
    rows, columns = np.mgrid[:9, :12] + 0.5
    distance = ((6.3 - columns) * 4 - (rows - 2.1) * 3) / 5
    below = rows > 4
    expected = np.clip(1 - distance / 2, 0, 1)
    np.testing.assert_allclose(mask[below], expected[below], atol=1e-9)


def test_room_around_the_camera_has_no_cracks(draw_mask):
    sphere = octahedral_sphere(7)
    rng = np.random.default_rng(0)
    radius = 1 + rng.uniform(0, 0.3, [len(sphere.directions), 1])
    camera = PinholeCamera()
    points = radius * sphere.directions + [0.1, 0.2, 0.3 - camera.distance]
    for dtype in (np.float32, np.float64):
        inputs = {
            "vertices": camera.project(points[None].astype(dtype), 40, 30),
            # Turned inside out: its inside is the front.
            "triangles": sphere.triangles[:, ::-1],
            "neighbors": sphere.neighbors[:, ::-1],
            "uv": sphere.uv.astype(dtype),
            "uv_triangles": sphere.uv_triangles[:, ::-1],
            "texture": np.zeros([1, 1, 1, 0], dtype),
            "attributes": np.ones([1, len(sphere.directions), 1], dtype),
            "background": np.zeros([1, 40, 30, 1], dtype),
        }
        for margin in (0.0, 1.0):
            np.testing.assert_allclose(draw_mask(inputs, margin=margin), 1, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_closed_surface_hides_its_back_faces(backend, bumpy_inputs, render_inputs):
    inputs = bumpy_inputs(3, height=40, width=40)
    culled, ids = render_inputs(**inputs, margin=2.0, backend=backend)
    both, both_ids = render_inputs(
        **inputs, margin=2.0, cull_backfaces=False, backend=backend
    )
    np.testing.assert_array_equal(ids, both_ids)
    np.testing.assert_allclose(both, culled, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("front_is_near", [True, False])
def test_fold_continues_the_colour_in_front_of_it(
    backend, front_is_near, quad_inputs, render_inputs
):
    """Left edge at 3.25; the UVs of its triangles differ, and so do their colours."""
    inputs = quad_inputs(9, 12)
    depths = np.array([2.0, 2.0, 1.0, 3.0]) if front_is_near else np.array([2, 2, 3, 1])
    corners = np.array([[3.25, -20], [3.25, 30], [30, 5], [30, 5]])
    inputs["vertices"] = np.concatenate(
        [corners * depths[:, None], depths[:, None]], -1
    )[None]
    inputs["triangles"] = np.array([[0, 1, 2], [1, 0, 3]], np.int32)
    inputs["neighbors"] = np.array([[-1, -1, 1], [-1, -1, 0]], np.int32)
    inputs["texture"] = np.array([0.25, 0.75])[None, None, :, None]
    inputs["uv"] = np.array([[0.0, 0.5], [1.0, 0.5]])
    inputs["uv_triangles"] = np.array([[0] * 3, [1] * 3], np.int32)
    picture, ids = render_inputs(
        **inputs, margin=1.0, cull_backfaces=False, backend=backend
    )
    colour, mask = np.moveaxis(picture.numpy()[0, 4], -1, 0)
    assert np.all(ids[0, 4, 3:9] == (0 if front_is_near else 1))
    expected = 0.25 if front_is_near else 0.75
    np.testing.assert_allclose(colour[3:9], expected)
    np.testing.assert_allclose(mask[:4], [0, 0, 0.25, 1], atol=1e-12)
    np.testing.assert_allclose(colour[2], 0.25 * expected)


def test_turning_card_shows_its_back_without_a_jump(quad_inputs, render_inputs):
    steps = 400
    card = quad_inputs(12, 12, box=(3.3, 2.8, 8.9, 9.2))
    inputs = {
        name: np.repeat(value, steps, axis=0) if value.ndim > 2 else value
        for name, value in card.items()
    }
    # The middle column stays, at no time the card is seen exactly from the side.
    angle = np.linspace(1.2, 1.9, steps)[:, None]
    x = card["vertices"][..., 0] - 6.1
    inputs["vertices"][..., 2] = 10 + np.sin(angle) * x
    inputs["vertices"][..., 0] = (
        6.1 * inputs["vertices"][..., 2] + 10 * np.cos(angle) * x
    )
    y = card["vertices"][..., 1]
    inputs["vertices"][..., 1] = 6 * inputs["vertices"][..., 2] + 10 * (y - 6)

    def largest_jump(cull_backfaces):
        picture, _ = render_inputs(**inputs, cull_backfaces=cull_backfaces)
        return np.max(np.abs(np.diff(picture.numpy(), axis=0)))

    assert largest_jump(False) < 0.02
    assert largest_jump(True) > 0.3


def test_huge_coordinates_are_harmless(soup_inputs, render_inputs):
    for dtype, size in ((np.float32, 1e30), (np.float64, 1e250)):
        inputs = soup_inputs(0, dtype=dtype)
        # The corners spread far beyond the picture to all sides.
        inputs["vertices"][..., :2] = (inputs["vertices"][..., :2] - 20) * dtype(size)
        for margin in (0.0, 1.0, 1e30):
            picture, _ = render_inputs(**inputs, margin=margin)
            assert picture.shape == inputs["background"].shape


def test_picture_is_continuous_where_outlines_pass_pixels(
    quad_inputs, merge_inputs, render_inputs
):
    """A small rectangle slides across a larger one and out over its border."""
    steps = 800
    back = quad_inputs(12, 16, box=(3.2, 2.7, 9.1, 9.6), depths=(1.3, 1.2, 1.25, 1.35))
    front = quad_inputs(12, 16, box=(4.3, 4.4, 7.2, 6.9), depths=(1.1, 1.15, 1.0, 1.1))
    front["attributes"][:] = -1
    inputs = merge_inputs(back, front)
    moved = {
        name: np.repeat(value, steps + 1, axis=0) if value.ndim > 2 else value
        for name, value in inputs.items()
    }
    shift = np.linspace(0, 5, steps + 1)[:, None]
    moved["vertices"][:, 4:, 0] += shift * moved["vertices"][:, 4:, 2]

    def largest_jump(margin):
        picture, _ = render_inputs(**moved, margin=margin)
        return np.max(np.abs(np.diff(picture.numpy(), axis=0)))

    # A step is 1/160 of a pixel, over which full contrast fades by 2/160.
    assert largest_jump(1.0) < 1.5 * 2 / 160
    assert largest_jump(0.0) > 1
