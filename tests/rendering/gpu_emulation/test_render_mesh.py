"""RenderMesh and its gradient on the GPU, in emulation, against the CPU kernels."""

import numpy as np
import pytest


def _check(emulation, render_with_gradients, inputs, seed=0, **options):
    """Compares the picture and all gradients with the CPU's, in both orders."""
    dtype = inputs["vertices"].dtype
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=inputs["background"].shape).astype(dtype)
    picture, ids, gradients = render_with_gradients(inputs, weights, **options)

    results = []
    for descending in (False, True):
        emulation.set_descending_order(descending)
        status, gpu_picture, gpu_ids = emulation.render_mesh(inputs, **options)
        assert status == "ok"
        status, gpu_gradients, _ = emulation.render_mesh_grad(
            inputs, weights, ids, **options
        )
        assert status == "ok"
        results.append({"picture": gpu_picture, "ids": gpu_ids, **gpu_gradients})
    for name, value in results[0].items():
        np.testing.assert_array_equal(results[1][name], value, err_msg=name)

    np.testing.assert_array_equal(gpu_ids, ids)
    np.testing.assert_array_equal(gpu_picture, picture)
    # The CPU adds the terms of float32 textures and attributes up in that precision.
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for name, gradient in gradients.items():
        scale = np.max(np.abs(gradient), initial=0)
        np.testing.assert_allclose(
            gpu_gradients[name],
            gradient,
            rtol=tolerance,
            atol=tolerance * scale,
            err_msg=name,
        )


OPTIONS = [
    {},
    {"margin": 0.0},
    {"margin": 2.5},
    {"cull_backfaces": False},
    {"margin": 2.5, "cull_backfaces": False, "depth_push": 0.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bumpy_spheres(options, dtype, emulation, bumpy_inputs, render_with_gradients):
    inputs = bumpy_inputs(3, batch=2, height=37, width=50, dtype=dtype)
    _check(emulation, render_with_gradients, inputs, **options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("nearest", [1.0, -1.0])
def test_soups(options, nearest, emulation, soup_inputs, render_with_gradients):
    """Also outside of the picture and, with negative depths, behind the camera."""
    for seed, size in enumerate([(24, 24), (16, 33), (1, 1), (2, 70)]):
        height, width = size
        inputs = soup_inputs(seed, height=height, width=width, nearest=nearest, batch=2)
        _check(emulation, render_with_gradients, inputs, seed, **options)


def test_more_triangles_than_threads_of_a_tile(
    emulation, open_inputs, render_with_gradients
):
    inputs = open_inputs(1, subdivisions=8, height=96, width=80)
    _check(emulation, render_with_gradients, inputs, cull_backfaces=False, margin=2.5)


def test_triangles_across_many_tiles(
    emulation, soup_inputs, bumpy_inputs, merge_inputs, render_with_gradients
):
    """Beside small ones, so that tiles look at bins of several levels."""
    size = {"height": 70, "width": 150}
    large = soup_inputs(2, triangles=4, nearest=2.0, **size)
    small = bumpy_inputs(2, subdivisions=3, **size)
    for name in ("attributes", "background"):
        large[name] = large[name][..., : small[name].shape[-1]]
    inputs = merge_inputs(small, large)
    _check(emulation, render_with_gradients, inputs, margin=2.5, cull_backfaces=False)


def test_gradients_of_all_magnitudes(emulation, soup_inputs, render_with_gradients):
    """The precision of one is not that of the largest of all."""
    inputs = soup_inputs(0, batch=3)
    weights = np.random.default_rng(0).normal(size=inputs["background"].shape)
    weights *= np.reshape([1e-200, 1.0, 1e200], [3, 1, 1, 1])
    _, ids, expected = render_with_gradients(inputs, weights)
    status, gradients, _ = emulation.render_mesh_grad(inputs, weights, ids)
    assert status == "ok"
    for name in ("vertices", "texture", "attributes"):
        for gradient, right in zip(gradients[name], expected[name], strict=True):
            scale = np.max(np.abs(right))
            assert scale > 0
            np.testing.assert_allclose(gradient, right, atol=1e-12 * scale)


def test_no_gradient_of_uv(emulation, soup_inputs, render_with_gradients):
    inputs = soup_inputs(0, batch=2)
    weights = np.random.default_rng(0).normal(size=inputs["background"].shape)
    _, ids, _ = render_with_gradients(inputs, weights)
    _, full, _ = emulation.render_mesh_grad(inputs, weights, ids)
    status, gradients, _ = emulation.render_mesh_grad(
        inputs, weights, ids, wants_uv=False
    )
    assert status == "ok"
    assert np.all(gradients.pop("uv") == -7)  # Nothing is written.
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, full[name], err_msg=name)


@pytest.mark.parametrize("counts", [(0, 0), (0, 2), (2, 0), (7, 3)], ids=str)
def test_channels(counts, emulation, soup_inputs, render_with_gradients):
    """Also none, and more than a thread adds up at once."""
    inputs = soup_inputs(0)
    rng = np.random.default_rng(0)
    for name, channels in zip(
        ("texture", "attributes", "background"), (*counts, sum(counts)), strict=True
    ):
        shape = [*inputs[name].shape[:-1], channels]
        inputs[name] = rng.uniform(-1, 1, shape)
    _check(emulation, render_with_gradients, inputs)


def test_nothing_to_draw(emulation, soup_inputs, render_with_gradients):
    inputs = soup_inputs(0)
    for name in ("triangles", "neighbors", "uv_triangles"):
        inputs[name] = inputs[name][:0]
    _check(emulation, render_with_gradients, inputs)
    inputs = soup_inputs(0)
    for name in ("vertices", "texture", "attributes", "background"):
        inputs[name] = inputs[name][:0]
    _check(emulation, render_with_gradients, inputs)


def test_crowded_pixels(emulation, soup_inputs, render_with_gradients):
    """Every pixel has fragments of hundreds of edges."""
    inputs = soup_inputs(0, triangles=150, height=6, width=5, nearest=2.0)
    _check(emulation, render_with_gradients, inputs, margin=20.0, cull_backfaces=False)


def test_colours_may_be_anything(emulation, soup_inputs):
    """What is not a number stays in its own channel of pictures and gradients."""
    inputs = soup_inputs(0)
    for name in ("texture", "attributes", "background"):
        inputs[name][..., 0] = np.nan
    status, picture, ids = emulation.render_mesh(inputs)
    assert status == "ok"
    assert np.all(np.isfinite(picture[..., [1, 3]]))
    assert np.all(np.isnan(picture[..., 0]))
    weights = np.zeros_like(picture)
    weights[..., 0] = np.inf
    status, gradients, _ = emulation.render_mesh_grad(inputs, weights, ids)
    assert status == "ok"
    assert np.any(np.isnan(gradients["texture"][..., 0]))
    assert np.all(np.isfinite(gradients["texture"][..., 1]))


@pytest.mark.parametrize(
    "name, index, value",
    [
        ("triangles", (3, 2), 12),
        ("triangles", (0, 0), -1),
        ("uv_triangles", (1, 1), 2**31 - 1),
        ("neighbors", (2, 0), 4),
        ("neighbors", (2, 0), -(2**31)),
        ("vertices", (1, 11, 2), np.nan),
        ("vertices", (0, 0, 0), np.inf),
        ("uv", (11, 1), -np.inf),
    ],
)
def test_invalid_values_are_found(name, index, value, emulation, soup_inputs):
    inputs = soup_inputs(0, triangles=4, batch=2)
    status, picture, ids = emulation.render_mesh(inputs)
    assert status == "ok"
    inputs[name][index] = value
    assert emulation.render_mesh(inputs)[0] == "invalid values"
    assert emulation.render_mesh_grad(inputs, picture, ids)[0] == "invalid values"


@pytest.mark.parametrize("value", [-2, 4, 2**31 - 1, 3])
def test_first_wrong_triangle_id_is_found(value, emulation, soup_inputs):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    _, picture, ids = emulation.render_mesh(inputs)
    uncovered = np.flatnonzero(ids == -1)
    assert len(uncovered) > 10
    ids.reshape(-1)[uncovered[5:]] = value
    status, _, pixel = emulation.render_mesh_grad(inputs, picture, ids)
    assert status == "invalid triangle id"
    assert pixel == uncovered[5]
