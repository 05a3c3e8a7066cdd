"""DEODR, single-threaded C++ with exact edge overdraw."""

import dataclasses

import numpy as np

from benchmarks.renderers.base import DifferentiableRenderer, NotAvailable, Options
from benchmarks.workload import DISTANCE, FIELD_OF_VIEW, Workload


@dataclasses.dataclass(frozen=True)
class _Loaded:
    workload: Workload
    adjacencies: object
    texels: np.ndarray


class Deodr(DifferentiableRenderer):
    """https://github.com/martinResearch/DEODR through its `Scene2D`.

    It interpolates textures without perspective: with it, it has no gradient.
    """

    title = "DEODR"
    dtype = np.float64

    def __init__(self, options: Options):
        super().__init__(options)
        try:
            from deodr.differentiable_renderer import Scene2D
            from deodr.triangulated_mesh import TriMeshAdjacencies
        except ImportError as error:
            raise NotAvailable(f"it does not import: {error}") from error
        self._scene2d = Scene2D
        self._adjacencies = TriMeshAdjacencies

    def load(self, workload):
        height, width = workload.texture.shape[1:3]
        adjacencies = self._adjacencies(
            workload.triangles, clockwise=False, nb_vertices=workload.vertices.shape[1]
        )
        return _Loaded(workload, adjacencies, workload.uv * [width, height] - 0.5)

    def move(self, loaded, vertices):
        workload = dataclasses.replace(loaded.workload, vertices=vertices)
        return dataclasses.replace(loaded, workload=workload)

    def _scenes(self, loaded):
        """The `Scene2D` of each picture, and the depths of its vertices."""
        workload = loaded.workload
        height, width = workload.size
        triangles = len(workload.triangles)
        focal = 0.5 * height / np.tan(0.5 * FIELD_OF_VIEW)
        for vertices, texture, background in zip(
            workload.vertices, workload.texture, workload.background, strict=True
        ):
            depths = vertices[:, 2] + DISTANCE
            points = focal * vertices[:, :2] / depths[:, None]
            points += [0.5 * width, 0.5 * height]
            yield (
                self._scene2d(
                    faces=workload.triangles.astype(np.uint32),
                    faces_uv=workload.uv_triangles.astype(np.uint32),
                    ij=points,
                    depths=depths,
                    textured=np.ones(triangles, bool),
                    uv=loaded.texels,
                    shade=np.ones(len(vertices)),
                    colors=np.zeros([len(vertices), 3]),
                    shaded=np.ones(triangles, bool),
                    edgeflags=np.asarray(
                        loaded.adjacencies.edge_on_silhouette(points), bool
                    ),
                    height=height,
                    width=width,
                    nb_colors=3,
                    texture=texture,
                    background_image=background,
                    clockwise=False,
                    backface_culling=True,
                    integer_pixel_centers=False,
                ),
                focal,
            )

    def draw(self, loaded):
        return np.stack([flat.render(1.0)[0] for flat, _ in self._scenes(loaded)])

    def differentiate(self, loaded, weights):
        by_vertices, by_texture = [], []
        for index, (flat, focal) in enumerate(self._scenes(loaded)):
            flat.render(1.0)
            # It writes into the weights.
            flat.render_backward(weights[index].copy(), make_copies=False)
            depths = flat.depths[:, None]
            by_points = focal * flat.ij_b / depths
            slopes = loaded.workload.vertices[index, :, :2] / depths
            by_depth = -np.sum(by_points * slopes, -1, keepdims=True)
            by_vertices.append(np.concatenate([by_points, by_depth], -1))
            by_texture.append(flat.texture_b)
        return np.stack(by_vertices), np.stack(by_texture)
