"""The GPU kernels, run in emulation on the host."""

import ctypes
import os
import pathlib
import subprocess

import numpy as np
import pytest

SOURCES = pathlib.Path(__file__).resolve().parents[3] / "custom_ops/rasterizer/cc"
ARRAYS = ("vertices", "uv", "texture", "attributes", "background")
INDICES = ("triangles", "neighbors", "uv_triangles")
# GpuStatus::Code in gpu/interface.h.
STATUS = (
    "ok",
    "invalid values",
    "invalid triangle id",
    "invalid pixels",
    "outside pixels",
)


class Options(ctypes.Structure):
    """Options in core/picture_inputs.h."""

    _fields_ = [
        ("margin", ctypes.c_float),
        ("depth_push", ctypes.c_float),
        ("cull_backfaces", ctypes.c_bool),
    ]


class Arguments(ctypes.Structure):
    """Arguments in gpu/emulation/functions.cc."""

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


class RenderMeshGradients(ctypes.Structure):
    """RenderMeshGradients in gpu/render_mesh.h."""

    _fields_ = [(name, ctypes.c_void_p) for name in ARRAYS]


class FragmentList(ctypes.Structure):
    """FragmentList in gpu/rasterize_mesh.h."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("pixels", "triangles", "barycentric", "depth", "weight")
    ]


class FragmentListGradient(ctypes.Structure):
    """FragmentListGradient in core/fragment_list_gradient.h."""

    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("first_pixel", ctypes.c_int64),
        ("count", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("barycentric", "depth", "weight")),
    ]


class AffineMaps(ctypes.Structure):
    """AffineMaps in core/affine.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("points", "matrices")),
        *((name, ctypes.c_int64) for name in ("size", "count")),
        ("one_matrix", ctypes.c_bool),
    ]


AllocateFragments = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_int64, ctypes.POINTER(FragmentList)
)


class Call:
    """The arguments of a function; keeps the memory of its arrays."""

    def __init__(
        self, library, inputs, margin=1.0, depth_push=0.02, cull_backfaces=True
    ):
        self._library = library
        self.inputs = {
            name: np.ascontiguousarray(value) for name, value in inputs.items()
        }
        self.dtype = self.inputs["vertices"].dtype
        self.picture_shape = self.inputs["background"].shape
        self._arguments = Arguments(
            *(self.inputs[name].ctypes.data for name in ARRAYS + INDICES),
            len(self.inputs["vertices"]),
            self.inputs["vertices"].shape[1],
            len(self.inputs["uv"]),
            len(self.inputs["triangles"]),
            *self.picture_shape[1:3],
            *self.inputs["texture"].shape[1:],
            self.inputs["attributes"].shape[-1],
            Options(margin, depth_push, cull_backfaces),
        )

    def empty(self, shape, dtype=None):
        """Returns an array that is full of a value which must not remain."""
        return np.full(shape, -7, dtype or self.dtype)

    def run(self, name, *arguments):
        """Calls the function for the type of the inputs and returns its status."""
        function = getattr(self._library, f"{name}_{self.dtype}")
        pointers = [
            ctypes.c_void_p(argument.ctypes.data)
            if isinstance(argument, np.ndarray)
            else argument
            for argument in arguments
        ]
        return STATUS[function(ctypes.byref(self._arguments), *pointers)]


class Emulation:
    """Runs the ops. The first value of each result is one of STATUS."""

    def __init__(self, path):
        self._library = ctypes.CDLL(str(path))

    def render_mesh(self, inputs, **options):
        """Returns the status, the picture and the triangles of its pixels."""
        call = Call(self._library, inputs, **options)
        picture = call.empty(call.picture_shape)
        ids = call.empty(picture.shape[:-1], np.int32)
        return call.run("render_mesh", picture, ids), picture, ids

    def render_mesh_grad(self, inputs, weights, ids, wants_uv=True, **options):
        """Returns the status, the gradients, and the index of an invalid pixel."""
        call = Call(self._library, inputs, **options)
        results = {name: call.empty(call.inputs[name].shape) for name in ARRAYS}
        gradients = RenderMeshGradients(*(results[name].ctypes.data for name in ARRAYS))
        if not wants_uv:
            gradients.uv = None
        pixel = ctypes.c_int64()
        status = call.run(
            "render_mesh_grad",
            np.ascontiguousarray(weights, call.dtype),
            np.ascontiguousarray(ids),
            ctypes.byref(gradients),
            ctypes.byref(pixel),
        )
        return status, results, pixel.value

    def rasterize_mesh(self, inputs, **options):
        """Returns the status and the outputs of the op, by name."""
        call = Call(self._library, inputs, **options)
        fragments = {}

        def allocate(count, target):
            fragments.update(
                pixels=call.empty([count], np.int64),
                triangles=call.empty([count], np.int32),
                barycentric=call.empty([count, 3]),
                depth=call.empty([count]),
                weight=call.empty([count]),
            )
            for name, value in fragments.items():
                setattr(target.contents, name, value.ctypes.data)
            return True

        ids = call.empty(call.picture_shape[:-1], np.int32)
        status = call.run("rasterize_mesh", AllocateFragments(allocate), ids)
        return status, {**fragments, "triangle_ids": ids}

    def rasterize_mesh_grad(self, inputs, pixels, ids, gradients, **options):
        """Returns the status, the gradient, and the index of an invalid pixel.

        `gradients` are with respect to the real outputs; the result is with
        respect to the vertices.
        """
        call = Call(self._library, inputs, **options)
        arrays = [np.ascontiguousarray(value, call.dtype) for value in gradients]
        pixels = np.ascontiguousarray(pixels)
        fragments = FragmentListGradient(
            pixels.ctypes.data,
            0,
            len(pixels),
            *(value.ctypes.data for value in arrays),
        )
        vertices = call.empty(call.inputs["vertices"].shape)
        pixel = ctypes.c_int64()
        status = call.run(
            "rasterize_mesh_grad",
            ctypes.byref(fragments),
            np.ascontiguousarray(ids),
            vertices,
            ctypes.byref(pixel),
        )
        return status, vertices, pixel.value

    def transform_points(self, points, matrices):
        """Returns the status and the transformed points."""
        result = np.full(points.shape, -7, points.dtype)
        function = getattr(self._library, f"transform_points_{points.dtype}")
        maps = AffineMaps(
            points.ctypes.data,
            matrices.ctypes.data,
            *points.shape[:2],
            len(matrices) == 1,
        )
        status = function(ctypes.byref(maps), ctypes.c_void_p(result.ctypes.data))
        return STATUS[status], result

    def scan(self, values):
        """Returns for each value the sum of all values before it."""
        result = np.array(values, np.uint64)
        pointer = ctypes.c_void_p(result.ctypes.data)
        self._library.scan(ctypes.c_int64(len(result)), pointer)
        return result

    def set_descending_order(self, descending):
        self._library.set_descending_order(int(descending))


@pytest.fixture(scope="session")
def emulation(tmp_path_factory):
    path = tmp_path_factory.mktemp("emulation") / "emulation.so"
    compiler = os.environ.get("CXX", "g++").split()
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
    flags.append(f"-I{SOURCES}")
    gpu = SOURCES / "gpu"
    sources = [*gpu.glob("*.cu.cc"), gpu / "emulation" / "functions.cc"]
    subprocess.run(
        [*compiler, *flags, f"-I{SOURCES}", "-shared", "-fPIC", "-o", path, *sources],
        check=True,
    )
    return Emulation(path)
