"""Differentiable rendering of textured triangle meshes.

`render_mesh` draws a picture at once; `rasterize_mesh`, `interpolate`, `sample_texture`
and `composite` do the same in steps, for pictures of any kind; `transform_points` and
`PinholeCamera` make the pixel coordinates that they take; `Renderer` is a Keras layer.
The compiled op is loaded when it is first used.
"""

from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.fragments import Fragments
from tf_unsup3d.rendering.rasterize_mesh import rasterize_mesh
from tf_unsup3d.rendering.render_mesh import render_mesh
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.shading import composite, interpolate, interpolate_uv
from tf_unsup3d.rendering.texture import sample_texture, uv_footprint
from tf_unsup3d.rendering.transform_points import transform_points

__all__ = [
    "Fragments",
    "PinholeCamera",
    "Renderer",
    "composite",
    "interpolate",
    "interpolate_uv",
    "rasterize_mesh",
    "render_mesh",
    "sample_texture",
    "transform_points",
    "uv_footprint",
]
