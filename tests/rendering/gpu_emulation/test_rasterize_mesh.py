"""RasterizeMesh and its gradient on an emulated GPU, against the CPU kernels.

Lists have the same bits, and so have errors.
"""

import re

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.rendering import op_library

OUTPUTS = ("pixels", "triangles", "barycentric", "depth", "weight", "triangle_ids")
OPTIONS = [
    {},
    {"margin": 0.0},
    {"margin": 2.5},
    {"margin": 20.0, "cull_backfaces": False},
    {"margin": 2.0, "cull_backfaces": False, "depth_push": 0.0},
]


def _surface(inputs):
    return [inputs[name] for name in ("vertices", "triangles", "neighbors")]


def _list_on_cpu(inputs, **options):
    size = inputs["background"].shape[1:3]
    outputs = op_library.load_library().rasterize_mesh(
        *_surface(inputs), *size, **options
    )
    return {name: value.numpy() for name, value in zip(OUTPUTS, outputs, strict=True)}


def _random_gradients(count, dtype, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [[count, 3], [count], [count]]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def _check(emulation, inputs, seed=0, **options):
    """Compares the list and the gradient with the CPU's, in both orders."""
    expected = _list_on_cpu(inputs, **options)
    pixels, ids = expected["pixels"], expected["triangle_ids"]
    dtype = inputs["vertices"].dtype
    gradients = _random_gradients(len(pixels), dtype, seed)
    expected_gradient = op_library.load_library().rasterize_mesh_grad(
        *gradients, pixels, ids, *_surface(inputs), **options
    )

    vertices = []
    for descending in (False, True):
        emulation.set_descending_order(descending)
        status, outputs = emulation.rasterize_mesh(inputs, **options)
        assert status == "ok"
        for name, value in expected.items():
            assert outputs[name].dtype == value.dtype
            assert outputs[name].shape == value.shape
            assert outputs[name].tobytes() == value.tobytes(), name
        status, gradient, _ = emulation.rasterize_mesh_grad(
            inputs, pixels, ids, gradients, **options
        )
        assert status == "ok"
        vertices.append(gradient)
    assert vertices[0].tobytes() == vertices[1].tobytes()
    scale = np.max(np.abs(expected_gradient), initial=0)
    # The CPU also adds up in double precision, whatever the type.
    tolerance = 1e-12 if dtype == np.float64 else 1e-7
    np.testing.assert_allclose(
        vertices[0], expected_gradient, rtol=tolerance, atol=tolerance * scale
    )
    return len(pixels)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bumpy_spheres(options, dtype, emulation, bumpy_inputs):
    inputs = bumpy_inputs(3, batch=2, height=37, width=50, dtype=dtype)
    assert _check(emulation, inputs, **options) > 900


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("nearest", [1.0, -1.0])
def test_soups(options, nearest, emulation, soup_inputs):
    """Also outside of the picture and, with negative depths, behind the camera."""
    for seed, size in enumerate([(24, 24), (16, 33), (1, 1), (2, 70)]):
        height, width = size
        inputs = soup_inputs(seed, height=height, width=width, nearest=nearest, batch=2)
        _check(emulation, inputs, seed, **options)


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 65536, 65537])
def test_scan(count, emulation):
    """At the borders of what a block sums up, and of what a block of blocks does."""
    values = np.random.default_rng(count).integers(0, 2**40, count, np.uint64)
    for descending in (False, True):
        emulation.set_descending_order(descending)
        sums = emulation.scan(values)
        np.testing.assert_array_equal(sums, np.cumsum(values) - values)


def test_more_triangles_than_threads_of_a_tile(emulation, open_inputs):
    inputs = open_inputs(1, subdivisions=8, height=96, width=80)
    _check(emulation, inputs, cull_backfaces=False, margin=2.5)


def test_crowded_pixels(emulation, soup_inputs):
    """Every pixel has fragments of hundreds of edges."""
    inputs = soup_inputs(0, triangles=150, height=6, width=5, nearest=2.0)
    _check(emulation, inputs, margin=20.0, cull_backfaces=False)


def test_nothing_to_see(emulation, soup_inputs):
    assert _check(emulation, soup_inputs(0, triangles=0, batch=2)) == 0
    assert _check(emulation, soup_inputs(0, batch=0)) == 0


@pytest.mark.parametrize(
    "name, index, value",
    [
        ("triangles", (3, 2), 12),
        ("triangles", (0, 0), -1),
        ("neighbors", (2, 0), 4),
        ("neighbors", (2, 0), -(2**31)),
        ("vertices", (1, 11, 2), np.nan),
        ("vertices", (0, 0, 0), np.inf),
    ],
)
def test_invalid_values_are_found(name, index, value, emulation, soup_inputs):
    inputs = soup_inputs(0, triangles=4, batch=2)
    fragments = _list_on_cpu(inputs)
    pixels, ids = fragments["pixels"], fragments["triangle_ids"]
    gradients = _random_gradients(len(pixels), np.float64)
    assert emulation.rasterize_mesh_grad(inputs, pixels, ids, gradients)[0] == "ok"
    inputs[name][index] = value
    status, outputs = emulation.rasterize_mesh(inputs)
    assert status == "invalid values"
    assert "pixels" not in outputs
    result = emulation.rasterize_mesh_grad(inputs, pixels, ids, gradients)
    assert result[0] == "invalid values"


def test_only_inputs_of_the_op_are_checked(emulation, soup_inputs):
    """Not what colours a picture."""
    inputs = soup_inputs(0, batch=2)
    inputs["uv"][3] = np.nan
    inputs["uv_triangles"][2] = -1
    assert emulation.rasterize_mesh(inputs)[0] == "ok"


def _check_error(emulation, inputs, pixels, ids):
    """Compares the error with the CPU's. Returns the input that it names, if any."""
    height, width = inputs["background"].shape[1:3]
    gradients = _random_gradients(len(pixels), np.float64)
    expected = ("ok", None, None)
    try:
        expected_gradient = op_library.load_library().rasterize_mesh_grad(
            *gradients, pixels, ids, *_surface(inputs)
        )
    except tf.errors.InvalidArgumentError as error:
        pattern = r"(\w+) is not that .* at row (\d+), column (\d+) of picture (\d+)"
        if "pixels has some outside" in error.message:
            expected = ("outside", 0)
        else:
            name, *place = re.search(pattern, error.message).groups()
            row, column, picture = map(int, place)
            expected = (name, (picture * height + row) * width + column)
    for descending in (False, True):
        emulation.set_descending_order(descending)
        status, gradient, pixel = emulation.rasterize_mesh_grad(
            inputs, pixels, ids, gradients
        )
        if expected[0] == "ok":
            assert status == "ok"
            np.testing.assert_allclose(gradient, expected_gradient, atol=1e-9)
        else:
            names = {
                "pixels": "invalid pixels",
                "triangle_ids": "invalid triangle id",
                "outside": "outside pixels",
            }
            assert (status, pixel) == (names[expected[0]], expected[1])
    return expected[0]


WRONG_LISTS = {
    "none": lambda pixels, at: pixels[:0],
    "one less": lambda pixels, at: np.delete(pixels, at),
    "one more": lambda pixels, at: np.insert(pixels, at, pixels[at]),
    "another": lambda pixels, at: np.where(
        np.arange(len(pixels)) == at, pixels + 1, pixels
    ),
    "last ones missing": lambda pixels, at: pixels[:at],
    "shifted": lambda pixels, at: pixels + 1,
    "negative": lambda pixels, at: -pixels,
    "descending": lambda pixels, at: pixels[::-1],
    "out of order": lambda pixels, at: np.roll(pixels, 3 + at // 2),
    "in disorder": lambda pixels, at: np.random.default_rng(at).permutation(pixels),
    "beyond all": lambda pixels, at: np.full_like(pixels, 2**63 - 1),
    "before all": lambda pixels, at: np.full_like(pixels, -(2**63)),
    "before the first": lambda pixels, at: np.append([-5, -1], pixels),
    "behind the last": lambda pixels, at: np.append(pixels, [2**40, 2**40 + 1]),
    "in disorder behind the last": lambda pixels, at: np.append(pixels, [2**40, 3]),
}


@pytest.mark.parametrize("kind", WRONG_LISTS)
def test_wrong_lists(kind, emulation, soup_inputs):
    """In pictures of several of the units that the CPU works on."""
    inputs = soup_inputs(0, triangles=6, height=70, width=9, batch=2)
    fragments = _list_on_cpu(inputs)
    pixels, ids = fragments["pixels"], fragments["triangle_ids"]
    count = len(pixels)
    for at in (0, 1, count // 3, 2 * count // 3, count - 1):
        wrong = WRONG_LISTS[kind](pixels, at)
        found = _check_error(emulation, inputs, wrong, ids)
        outside = kind in ("before the first", "behind the last")
        assert found == ("outside" if outside else "pixels")


@pytest.mark.parametrize("value", [-2, 6, 2**31 - 1, 3])
def test_first_wrong_triangle_id_is_found(value, emulation, soup_inputs):
    inputs = soup_inputs(0, triangles=6, height=70, width=9, batch=2)
    fragments = _list_on_cpu(inputs)
    pixels = fragments["pixels"]
    uncovered = np.flatnonzero(fragments["triangle_ids"] == -1)
    for first in (0, len(uncovered) // 2, len(uncovered) - 1):
        ids = fragments["triangle_ids"].copy()
        ids.reshape(-1)[uncovered[first:]] = value
        assert _check_error(emulation, inputs, pixels, ids) == "triangle_ids"


def test_both_wrong(emulation, soup_inputs):
    """The list before, behind and in the unit of the triangle."""
    inputs = soup_inputs(0, triangles=6, height=70, width=9, batch=2)
    fragments = _list_on_cpu(inputs)
    found = []
    for id_row in (3, 40, 69):
        for list_row in (0, 10, 40, 60):
            ids = fragments["triangle_ids"].copy()
            ids[1, id_row] = 6
            wrong = np.flatnonzero(fragments["pixels"] >= (70 + list_row) * 9)[0]
            pixels = np.delete(fragments["pixels"], wrong)
            found.append(_check_error(emulation, inputs, pixels, ids))
    assert {*found} == {"triangle_ids", "pixels"}
