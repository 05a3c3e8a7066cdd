"""pTFrenderer, which consists of TensorFlow ops."""

import importlib
import pathlib
import sys
from unittest import mock

import numpy as np
import tensorflow as tf

from benchmarks.renderers.base import NotAvailable, Options
from benchmarks.renderers.sampling import sample_bilinear
from benchmarks.renderers.tensorflow_renderer import TensorFlowRenderer
from tf_unsup3d.rendering.camera import PinholeCamera

_CAMERA = PinholeCamera()


class PTFRenderer(TensorFlowRenderer):
    """https://github.com/szattila/pTFrenderer, from a checkout that the user names."""

    title = "pTFrenderer"

    def __init__(self, options: Options):
        path = options.ptfrenderer
        if path is None:
            raise NotAvailable("no checkout given (--ptfrenderer)")
        if not (pathlib.Path(path) / "ptfrenderer" / "mesh.py").exists():
            raise NotAvailable(f"{path} is no checkout of it")
        if path not in sys.path:
            sys.path.append(path)
        self._mesh = importlib.import_module("ptfrenderer.mesh")
        self._utils = importlib.import_module("ptfrenderer.utils")
        super().__init__(options)

    def picture(self, workload):
        height, width = workload["background"].shape[1:3]
        vertices = tf.gather(workload["vertices"], workload["uv_vertices"], axis=1)
        # Their pictures reach from the centre of the first pixel at -1 to that of the
        # last at 1.
        x, y = 2.0 / (width - 1.0), 2.0 / (height - 1.0)
        intrinsic = [
            [x, 0.0, -0.5 * x - 1.0],
            [0.0, y, -0.5 * y - 1.0],
            [0.0, 0.0, 1.0],
        ]
        soft, sharp = self._mesh.render_(
            _CAMERA.project(vertices, height, width),
            tf.tile(workload["uv"][None], [vertices.shape[0], 1, 1]),
            workload["uv_triangles"],
            tf.constant([intrinsic], self.dtype),
            tf.eye(3, 4, dtype=self.dtype)[None],
            [height, width],
            margin=tf.constant(1.0, self.dtype),
        )
        drawn = self._utils.alpha_matte(
            self._paint(workload["texture"], soft),
            self._paint(workload["texture"], sharp),
            apply_alpha=True,
        )
        background = tf.pad(workload["background"], [[0, 0]] * 3 + [[0, 1]])
        return self._utils.alpha_matte(drawn, background)[..., :3]

    def _paint(self, texture, layer):
        """Colour and opacity of a layer of UV and opacity."""
        colour = self._sample(texture, layer[..., :2])
        return tf.concat([colour, layer[..., 2:]], -1)

    def _sample(self, texture, uv):
        # Like pictures, textures reach from centre to centre.
        scale = texture.shape[1] / (texture.shape[1] - 1.0)
        return self._utils.sample2D_bilinear(texture, scale * (2.0 * uv - 1.0))


class PTFRendererFloat64(PTFRenderer):
    """The same in float64, to tell its gradient from its rounding.

    Its casts to float32 and numbers that become float32 are redirected; its sampler,
    which has casts of its own, is replaced.
    """

    title = "pTFrenderer, float64"
    dtype = np.float64

    def picture(self, workload):
        def cast(value):
            return tf.cast(value, tf.float64)

        def where(condition, *values):
            values = [cast(v) if isinstance(v, float) else v for v in values]
            return tf.where(condition, *values)

        with mock.patch.multiple(self._mesh, _f32=cast, _where=where):
            return super().picture(workload)

    def _sample(self, texture, uv):
        return sample_bilinear(texture, uv)
