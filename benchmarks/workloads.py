"""Random workloads that every renderer can draw."""

import functools

import numpy as np
import tensorflow as tf

from benchmarks.workload import Workload
from tf_unsup3d.export.meshes import split_at_seams
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.shape import procedural_head_model


def _painted(rng, vertices, triangles, neighbors, uv, uv_triangles, resolution, texels):
    batch = len(vertices)
    return Workload(
        vertices=np.asarray(vertices, np.float64),
        triangles=triangles.astype(np.int32),
        neighbors=neighbors.astype(np.int32),
        # Off the border, where the derivative of the texture has its kink.
        uv=0.02 + 0.96 * np.asarray(uv, np.float64),
        uv_triangles=uv_triangles.astype(np.int32),
        texture=rng.uniform(-1.0, 1.0, [batch, texels, texels, 3]),
        background=rng.uniform(-1.0, 1.0, [batch, resolution, resolution, 3]),
    )


def _paint_sphere(rng, vertices, sphere, resolution, texels):
    # One vertex for each texture coordinate, as other renderers want it.
    _, uv_indices, uv_triangles = split_at_seams(sphere)
    return _painted(
        rng,
        vertices,
        sphere.triangles,
        sphere.neighbors,
        np.asarray(sphere.uv)[uv_indices],
        uv_triangles,
        resolution,
        texels,
    )


def bumpy_spheres(
    rng: np.random.Generator,
    *,
    subdivisions: int,
    resolution: int,
    batch: int = 1,
    texels: int = 16,
    amplitude: float = 0.12,
    frequency: float = 3.0,
) -> Workload:
    """Spheres with waves on them.

    Args:
      rng: the only source of chance.
      subdivisions: of the octahedral sphere: `8 * subdivisions**2` triangles.
      resolution: height and width of the picture.
      batch: how many.
      texels: height and width of the texture.
      amplitude: of each of six waves, as a part of the radius; from about 0.1 the
        surface hides parts of itself.
      frequency: typical angular frequency of a wave.

    Returns:
      The workload.
    """
    sphere = octahedral_sphere(subdivisions)
    directions = sphere.directions.astype(np.float64)
    radius = np.ones([batch, len(directions)])
    for _ in range(6):
        waves = frequency * rng.normal(size=[batch, 3])
        phase = rng.uniform(0.0, 2.0 * np.pi, [batch, 1])
        radius += amplitude * np.sin(waves @ directions.T + phase)
    # Off the axis, lest edges run through pixel centres.
    vertices = 0.6 * radius[..., None] * directions + [0.0031, 0.0017, 0.0]
    return _paint_sphere(rng, vertices, sphere, resolution, texels)


@functools.cache
def _head_model(subdivisions):
    return procedural_head_model(subdivisions)


def heads(
    rng: np.random.Generator,
    *,
    subdivisions: int,
    resolution: int,
    batch: int = 1,
    texels: int = 16,
) -> Workload:
    """The procedural heads, in random views; arguments as for `bumpy_spheres`."""
    model = _head_model(subdivisions)
    vertices = []
    for _ in range(batch):
        head = sample_head(model, rng)
        turn = rotation_matrices(tf.constant(head.viewpoint[None], tf.float64))[0]
        vertices.append(head.vertices(model) @ turn.numpy().T)
    sphere = octahedral_sphere(subdivisions)
    return _paint_sphere(rng, np.stack(vertices), sphere, resolution, texels)


def triangle_soups(
    rng: np.random.Generator,
    *,
    subdivisions: int,
    resolution: int,
    batch: int = 1,
    texels: int = 16,
) -> Workload:
    """Single triangles anywhere in view, some cutting through others.

    Arguments as for `bumpy_spheres`; there are `8 * subdivisions` triangles, half of
    them seen from behind.
    """
    count = 8 * subdivisions
    corners = np.arange(3 * count).reshape(-1, 3)
    vertices = rng.uniform(-0.8, 0.8, [batch, count, 1, 3])
    vertices = vertices + rng.normal(0.0, 0.25, [batch, count, 3, 3])
    return _painted(
        rng,
        vertices.reshape(batch, -1, 3),
        corners,
        np.full_like(corners, -1),
        rng.uniform(0.0, 1.0, [3 * count, 2]),
        corners,
        resolution,
        texels,
    )


KINDS = {"heads": heads, "bumpy spheres": bumpy_spheres, "soups": triangle_soups}
