"""The rasteriser op of this project."""

import numpy as np

from benchmarks.renderers.base import NotAvailable, Options
from benchmarks.renderers.tensorflow_renderer import TensorFlowRenderer
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.render_mesh import render_mesh

_CAMERA = PinholeCamera()


class Ours(TensorFlowRenderer):
    """The op in float32, as it is used in training."""

    title = "tf_unsup3d"
    margin = 1.0

    def __init__(self, options: Options):
        try:
            op_library.load_library()
        except op_library.RasterizerLibraryError as error:
            raise NotAvailable(str(error)) from error
        super().__init__(options)

    def picture(self, workload):
        height, width = workload["background"].shape[1:3]
        fields = ("triangles", "uv", "uv_triangles", "neighbors")
        return render_mesh(
            _CAMERA.project(workload["vertices"], height, width),
            Mesh(**{name: workload[name] for name in fields}),
            workload["texture"],
            background=workload["background"],
            margin=self.margin,
        )["picture"]


class OursFloat64(Ours):
    """The op in float64, in which differences of pictures are precise."""

    title = "tf_unsup3d, float64"
    dtype = np.float64


class OursHard(OursFloat64):
    """The op without its soft layer: an ordinary rasteriser."""

    title = "tf_unsup3d, float64, margin 0"
    margin = 0.0
