"""The soft rasteriser of PyTorch3D."""

import dataclasses
import math

import numpy as np

from benchmarks.renderers.base import DifferentiableRenderer, NotAvailable, Options
from benchmarks.workload import DISTANCE, FIELD_OF_VIEW, Workload

# Nearest faces that are kept at each pixel, the library's default.
_FACES_PER_PIXEL = 8
# The depth is blended between planes close to the object, where it is precise.
_NEAR, _FAR = DISTANCE - 1.5, DISTANCE + 1.5


@dataclasses.dataclass(frozen=True)
class _Loaded:
    workload: Workload
    vertices: object
    texture: object
    constants: dict[str, object]


class PyTorch3D(DifferentiableRenderer):
    """https://github.com/facebookresearch/pytorch3d, blurred over one pixel."""

    title = "PyTorch3D"

    def __init__(self, options: Options):
        super().__init__(options)
        try:
            import torch
            from pytorch3d import renderer, structures
            from pytorch3d.renderer.mesh import rasterize_meshes, rasterizer
        except ImportError as error:
            raise NotAvailable(f"it does not import: {error}") from error
        self._torch = torch
        self._renderer = renderer
        self._structures = structures
        self._rasterize_meshes = rasterize_meshes
        self._fragments = rasterizer.Fragments

    def load(self, workload):
        torch = self._torch
        constants = {
            "uv_vertices": workload.uv_vertices.astype(np.int64),
            "triangles": workload.uv_triangles.astype(np.int64),
            # Their textures have v upwards.
            "uv": np.float32(workload.uv * [1, -1] + [0, 1]),
            "background": np.float32(workload.background),
        }
        return _Loaded(
            workload,
            torch.tensor(np.float32(workload.vertices)),
            torch.tensor(np.float32(workload.texture)),
            {name: torch.tensor(value) for name, value in constants.items()},
        )

    def move(self, loaded, vertices):
        vertices = self._torch.tensor(np.float32(vertices))
        return dataclasses.replace(loaded, vertices=vertices)

    def weigh(self, weights):
        return self._torch.tensor(np.float32(weights))

    def _picture(self, loaded, vertices, texture):
        torch, library = self._torch, self._renderer
        constants = loaded.constants
        height, width = loaded.workload.size
        batch = len(vertices)
        # Their axes point left and up; the shorter side of the picture is [-1, 1].
        depth = vertices[..., 2:] + DISTANCE
        focal = 1.0 / math.tan(0.5 * FIELD_OF_VIEW)
        points = torch.cat([-focal * vertices[..., :2] / depth, depth], -1)
        points = points[:, constants["uv_vertices"]]
        triangles = constants["triangles"][None].expand(batch, -1, -1)
        textures = library.TexturesUV(
            texture,
            triangles,
            constants["uv"][None].expand(batch, -1, -1),
            align_corners=False,
        )
        meshes = self._structures.Meshes(points, triangles, textures)
        blur = (2.0 / min(height, width)) ** 2
        fragments = self._fragments(
            *self._rasterize_meshes(
                meshes,
                (height, width),
                blur_radius=blur,
                faces_per_pixel=_FACES_PER_PIXEL,
                perspective_correct=True,
                clip_barycentric_coords=True,
                cull_backfaces=True,
            )
        )
        blend = library.BlendParams(
            # One part in 10,000 is left at the end of the blur.
            sigma=blur / math.log(1e4 - 1.0),
            gamma=1e-4,
            background_color=constants["background"],
        )
        colours = meshes.sample_textures(fragments)
        return library.softmax_rgb_blend(colours, fragments, blend, _NEAR, _FAR)[
            ..., :3
        ]

    def draw(self, loaded):
        with self._torch.no_grad():
            return self._picture(loaded, loaded.vertices, loaded.texture)

    def differentiate(self, loaded, weights):
        vertices = loaded.vertices.detach().requires_grad_()
        texture = loaded.texture.detach().requires_grad_()
        value = (weights * self._picture(loaded, vertices, texture)).sum()
        return self._torch.autograd.grad(value, [vertices, texture])

    def to_numpy(self, result):
        return result.detach().numpy()
