"""The GPU kernels, run in emulation on the host, against the CPU op."""

import ctypes
import os
import pathlib
import subprocess

import numpy as np
import pytest

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "custom_ops" / "rasterizer"
OK, INVALID_VALUES, INVALID_TRIANGLE_ID = range(3)
ARRAYS = ("vertices", "uv", "texture", "attributes", "background")
INDICES = ("triangles", "neighbors", "uv_triangles")


class Options(ctypes.Structure):
    """Options in scene.h."""

    _fields_ = [
        ("margin", ctypes.c_float),
        ("depth_push", ctypes.c_float),
        ("cull_backfaces", ctypes.c_bool),
    ]


class Arguments(ctypes.Structure):
    """Arguments in rasterize_gpu_emulation.cc."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ARRAYS + INDICES),
        *((name, ctypes.c_int64) for name in ("batch", "vertices_count", "uv_count")),
        *(
            (name, ctypes.c_int)
            for name in (
                "triangle_count",
                "height",
                "width",
                "texture_height",
                "texture_width",
                "texture_channels",
                "attribute_channels",
            )
        ),
        ("options", Options),
    ]


class Gradients(ctypes.Structure):
    """BatchGradients in rasterize_gpu.h."""

    _fields_ = [(name, ctypes.c_void_p) for name in ARRAYS]


class Emulation:
    """Calls the kernels."""

    def __init__(self, path):
        self._library = ctypes.CDLL(str(path))

    def draw(self, scene, margin=1.0, depth_push=0.02, cull_backfaces=True):
        """Returns the status, the picture and the triangles of its pixels."""
        arguments = self._arguments(scene, margin, depth_push, cull_backfaces)
        picture = np.full_like(scene["background"], 1e3)
        ids = np.full(picture.shape[:-1], -7, np.int32)
        draw = getattr(self._library, f"draw_{picture.dtype}")
        status = draw(
            ctypes.byref(arguments),
            ctypes.c_void_p(picture.ctypes.data),
            ctypes.c_void_p(ids.ctypes.data),
        )
        return status, picture, ids

    def differentiate(
        self, scene, weights, ids, margin=1.0, depth_push=0.02, cull_backfaces=True
    ):
        """Returns the status, the gradients, and the pixel that is wrong."""
        arguments = self._arguments(scene, margin, depth_push, cull_backfaces)
        results = {name: np.full_like(scene[name], 1e3) for name in ARRAYS}
        gradients = Gradients(*(results[name].ctypes.data for name in ARRAYS))
        pixel = ctypes.c_int64()
        differentiate = getattr(self._library, f"differentiate_{weights.dtype}")
        status = differentiate(
            ctypes.byref(arguments),
            ctypes.c_void_p(weights.ctypes.data),
            ctypes.c_void_p(ids.ctypes.data),
            ctypes.byref(gradients),
            ctypes.byref(pixel),
        )
        return status, results, pixel.value

    def set_descending_order(self, descending):
        self._library.set_descending_order(int(descending))

    def _arguments(self, scene, *options):
        arrays = [scene[name].ctypes.data for name in ARRAYS + INDICES]
        return Arguments(
            *arrays,
            len(scene["vertices"]),
            scene["vertices"].shape[1],
            len(scene["uv"]),
            len(scene["triangles"]),
            *scene["background"].shape[1:3],
            *scene["texture"].shape[1:],
            scene["attributes"].shape[-1],
            Options(*options),
        )


@pytest.fixture(scope="module")
def emulation(tmp_path_factory):
    library = tmp_path_factory.mktemp("emulation") / "emulation.so"
    compiler = os.environ.get("CXX", "g++").split()
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
    sources = ("rasterize_gpu.cu.cc", "rasterize_gpu_emulation.cc")
    command = [*compiler, *flags, "-shared", "-fPIC", "-o", str(library)]
    subprocess.run(
        command + [str(SOURCES / "cc" / source) for source in sources], check=True
    )
    return Emulation(library)


def _contiguous(scene):
    return {name: np.ascontiguousarray(value) for name, value in scene.items()}


def _check(emulation, render_with_gradients, scene, seed=0, **options):
    """Compares the picture and all gradients with the CPU's, in both orders."""
    scene = _contiguous(scene)
    dtype = scene["vertices"].dtype
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=scene["background"].shape).astype(dtype)
    picture, ids, gradients = render_with_gradients(scene, weights, **options)

    results = []
    for descending in (False, True):
        emulation.set_descending_order(descending)
        status, gpu_picture, gpu_ids = emulation.draw(scene, **options)
        assert status == OK
        status, gpu_gradients, _ = emulation.differentiate(
            scene, weights, ids, **options
        )
        assert status == OK
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
def test_bumpy_spheres(options, dtype, emulation, bumpy_scene, render_with_gradients):
    scene = bumpy_scene(3, batch=2, height=37, width=50, dtype=dtype)
    _check(emulation, render_with_gradients, scene, **options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("nearest", [1.0, -1.0])
def test_soups(options, nearest, emulation, soup_scene, render_with_gradients):
    """Also outside of the picture and, with negative depths, behind the camera."""
    for seed, size in enumerate([(24, 24), (16, 33), (1, 1), (2, 70)]):
        height, width = size
        scene = soup_scene(seed, height=height, width=width, nearest=nearest, batch=2)
        _check(emulation, render_with_gradients, scene, seed, **options)


def test_more_triangles_than_threads_of_a_tile(
    emulation, open_scene, render_with_gradients
):
    scene = open_scene(1, subdivisions=8, height=96, width=80)
    _check(emulation, render_with_gradients, scene, cull_backfaces=False, margin=2.5)


def test_gradients_of_all_magnitudes(emulation, soup_scene, render_with_gradients):
    """The precision of one is not that of the largest of all."""
    scene = _contiguous(soup_scene(0, batch=3))
    weights = np.random.default_rng(0).normal(size=scene["background"].shape)
    weights *= np.reshape([1e-200, 1.0, 1e200], [3, 1, 1, 1])
    _, ids, expected = render_with_gradients(scene, weights)
    status, gradients, _ = emulation.differentiate(scene, weights, ids)
    assert status == OK
    for name in ("vertices", "texture", "attributes"):
        for gradient, right in zip(gradients[name], expected[name], strict=True):
            scale = np.max(np.abs(right))
            assert scale > 0
            np.testing.assert_allclose(gradient, right, atol=1e-12 * scale)


@pytest.mark.parametrize("counts", [(0, 0), (0, 2), (2, 0), (7, 3)], ids=str)
def test_channels(counts, emulation, soup_scene, render_with_gradients):
    """Also none, and more than a thread adds up at once."""
    scene = soup_scene(0)
    rng = np.random.default_rng(0)
    for name, channels in zip(
        ("texture", "attributes", "background"), (*counts, sum(counts)), strict=True
    ):
        shape = [*scene[name].shape[:-1], channels]
        scene[name] = rng.uniform(-1, 1, shape)
    _check(emulation, render_with_gradients, scene)


def test_nothing_to_draw(emulation, soup_scene, render_with_gradients):
    scene = soup_scene(0)
    for name in INDICES:
        scene[name] = scene[name][:0]
    _check(emulation, render_with_gradients, scene)
    scene = soup_scene(0)
    for name in ("vertices", "texture", "attributes", "background"):
        scene[name] = scene[name][:0]
    _check(emulation, render_with_gradients, scene)


def test_crowded_pixels(emulation, soup_scene, render_with_gradients):
    """Every pixel has fragments of hundreds of edges."""
    scene = soup_scene(0, triangles=150, height=6, width=5, nearest=2.0)
    _check(emulation, render_with_gradients, scene, margin=20.0, cull_backfaces=False)


def test_colours_may_be_anything(emulation, soup_scene):
    """What is not a number stays in its own channel of pictures and gradients."""
    scene = _contiguous(soup_scene(0))
    for name in ("texture", "attributes", "background"):
        scene[name][..., 0] = np.nan
    status, picture, ids = emulation.draw(scene)
    assert status == OK
    assert np.all(np.isfinite(picture[..., [1, 3]]))
    assert np.all(np.isnan(picture[..., 0]))
    weights = np.zeros_like(picture)
    weights[..., 0] = np.inf
    status, gradients, _ = emulation.differentiate(scene, weights, ids)
    assert status == OK
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
def test_invalid_values_are_found(name, index, value, emulation, soup_scene):
    scene = _contiguous(soup_scene(0, triangles=4, batch=2))
    status, picture, ids = emulation.draw(scene)
    assert status == OK
    scene[name][index] = value
    assert emulation.draw(scene)[0] == INVALID_VALUES
    assert emulation.differentiate(scene, picture, ids)[0] == INVALID_VALUES


@pytest.mark.parametrize("value", [-2, 4, 2**31 - 1, 3])
def test_first_wrong_triangle_id_is_found(value, emulation, soup_scene):
    scene = _contiguous(soup_scene(0, triangles=4, height=6, width=8, batch=2))
    _, picture, ids = emulation.draw(scene)
    uncovered = np.flatnonzero(ids == -1)
    assert len(uncovered) > 10
    ids.reshape(-1)[uncovered[5:]] = value
    status, _, pixel = emulation.differentiate(scene, picture, ids)
    assert status == INVALID_TRIANGLE_ID
    assert pixel == uncovered[5]
