"""Rasterise-then-splat of TensorFlow Graphics."""

import importlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import tensorflow as tf

from benchmarks.renderers.base import NotAvailable, Options
from benchmarks.renderers.sampling import sample_bilinear
from benchmarks.renderers.tensorflow_renderer import TensorFlowRenderer
from benchmarks.workload import DISTANCE, FIELD_OF_VIEW

_PACKAGE = "tensorflow_graphics.rendering.kernels"
# Planes before and behind everything that is drawn.
_NEAR, _FAR = DISTANCE - 3.0, DISTANCE + 3.0
# The kernel compiled for the TensorFlow that is running.
LIBRARY = (
    pathlib.Path(__file__).resolve().parents[2]
    / "build"
    / f"tensorflow_graphics_rasterizer_tf{tf.__version__}.so"
)


def _compile_kernel() -> None:
    """Compiles the sources that are in the wheel; its binary loads no more.

    Raises:
      NotAvailable: no package, no compiler, or the compiler failed.
    """
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except ImportError as error:
        raise NotAvailable(f"it does not import: {error}") from error
    folder = pathlib.Path(spec.submodule_search_locations[0])
    sources = [folder / f"rasterize_triangles_{part}.cc" for part in ("impl", "op")]
    LIBRARY.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LIBRARY.parent) as scratch:
        output = pathlib.Path(scratch) / LIBRARY.name
        command = ["g++", "-shared", "-fPIC", "-O2", "-w", "-o", str(output)]
        command += [str(source) for source in sources]
        command += tf.sysconfig.get_compile_flags() + tf.sysconfig.get_link_flags()
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise NotAvailable("its kernel needs g++") from error
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip().splitlines()[0]
            raise NotAvailable(f"its kernel does not compile: {reason}") from error
        os.replace(output, LIBRARY)


def _load_kernel() -> None:
    """Puts the kernel where the package looks first."""
    name = f"{_PACKAGE}.gen_rasterizer_op"
    if name not in sys.modules:
        if not LIBRARY.exists():
            _compile_kernel()
        sys.modules[name] = tf.load_op_library(str(LIBRARY))


class RasterizeThenSplat(TensorFlowRenderer):
    """https://github.com/tensorflow/graphics, with its single layer by default."""

    title = "TensorFlow Graphics"

    def __init__(self, options: Options):
        _load_kernel()
        self._splat = importlib.import_module("tensorflow_graphics.rendering.splat")
        super().__init__(options)

    def picture(self, workload):
        focal = 1.0 / tf.tan(0.5 * FIELD_OF_VIEW)
        depth = (_FAR + _NEAR) / (_FAR - _NEAR)
        offset = depth * DISTANCE - 2.0 * _FAR * _NEAR / (_FAR - _NEAR)
        projection = tf.stack(
            [
                [focal, 0.0, 0.0, 0.0],
                [0.0, focal, 0.0, 0.0],
                [0.0, 0.0, depth, offset],
                [0.0, 0.0, 1.0, DISTANCE],
            ]
        )
        vertices = tf.gather(workload["vertices"], workload["uv_vertices"], axis=1)
        # With y downwards their front is our back.
        triangles = workload["uv_triangles"][:, ::-1]
        pictures = []
        # A shader sees no batch, so each picture with its texture is a call.
        for index in range(vertices.shape[0]):
            texture = workload["texture"][index][None]

            def shade(buffers, texture=texture):
                colour = sample_bilinear(texture, buffers["uv"][None])[0]
                return tf.concat([colour, tf.ones_like(colour[..., :1])], -1)

            drawn = self._splat.rasterize_then_splat(
                vertices[index][None],
                triangles,
                {"uv": workload["uv"][None]},
                projection[None],
                workload["background"].shape[1:3],
                shade,
            )[0]
            visible = 1.0 - drawn[..., 3:]
            pictures.append(drawn[..., :3] + visible * workload["background"][index])
        return tf.stack(pictures)
