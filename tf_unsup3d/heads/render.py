"""Draws head scenes, and the true depth and normals beside them."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.normals import vertex_normals
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.heads.backgrounds import Background, sample_background
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.scene import HeadScene
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.render_mesh import render_mesh

# Odd, so that one of the finer pixels has its centre at the centre of the pixel.
_SUPERSAMPLING = 3


@dataclasses.dataclass(frozen=True)
class RenderedHeads:
    """Pictures and what is true of each pixel centre.

    Attributes:
      pictures: [batch, resolution, resolution, 3] uint8, sRGB.
      depth: [batch, resolution, resolution] float32, z from the camera; 0 beside the
        head.
      normals: [batch, resolution, resolution, 3] float32, outward unit normals in
        camera space; 0 beside the head.
      mask: [batch, resolution, resolution] bool, whether the head is there.
    """

    pictures: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    mask: np.ndarray


def _unit(vectors):
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return vectors / np.maximum(length, 1e-9)[..., None]


def _picture(scene, surface, region_names, background, resolution):
    """The picture [resolution, resolution, 3] of one finely sampled surface."""
    cell = surface.shape[0] // resolution
    covered = surface[..., 4] > 0.5
    points = surface[covered]
    light = np.zeros((*covered.shape, 4), np.float32)
    known = dict(zip(region_names, points[:, 8:].T, strict=True))
    light[covered, :3] = scene.appearance.colours(
        points[:, 5:8], scene.hairstyle, known
    )
    light[covered, :3] *= scene.lighting.shade(_unit(points[:, :3]))
    light[covered, 3] = 1.0
    parts = [light[i::cell, j::cell] for i in range(cell) for j in range(cell)]
    light = sum(parts) / np.float32(len(parts))
    rng = np.random.default_rng(scene.background_seed)
    # Backgrounds have no edges of the mesh: they need no finer sampling.
    behind = background(rng, resolution) * (1.0 - light[..., 3:])
    picture = np.clip(light[..., :3] + behind, 0.0, 1.0) ** (1.0 / 2.2)
    return np.round(255.0 * picture).astype(np.uint8)


def render_heads(
    model: HeadModel,
    scenes: Sequence[HeadScene],
    resolution: int,
    *,
    background: Background = sample_background,
    camera: PinholeCamera = PinholeCamera(),
    backend: str = "op",
) -> RenderedHeads:
    """Renders scenes, shading every one of 3 x 3 samples for each pixel.

    Args:
      model: The model of head shape.
      scenes: Scenes drawn from that model.
      resolution: Height and width of the pictures in pixels.
      background: Function that draws what is behind the heads.
      camera: The camera, before which the heads are turned.
      backend: "op" or "reference"; see `render_mesh`.

    Returns:
      The pictures and their truth.
    """
    fine = _SUPERSAMPLING * resolution
    vertices = np.stack([scene.vertices(model) for scene in scenes])
    viewpoints = np.stack([scene.viewpoint for scene in scenes])
    turned = rotate(tf.constant(vertices), rotation_matrices(tf.constant(viewpoints)))
    projected = camera.project(turned, fine, fine)
    fixed = np.column_stack([model.coordinates, *model.regions.values()])
    attributes = tf.concat(
        [
            camera.turn(vertex_normals(turned, model.triangles)),
            projected[..., 2:],
            tf.ones_like(projected[..., 2:]),
            np.broadcast_to(fixed, (len(scenes), *fixed.shape)),
        ],
        axis=-1,
    )
    surfaces = render_mesh(
        projected,
        Mesh(model.triangles, neighbors=model.neighbors),
        attributes=attributes,
        height=fine,
        width=fine,
        margin=0.0,
        backend=backend,
    )["picture"].numpy()
    pictures = [
        _picture(scene, surface, model.regions, background, resolution)
        for scene, surface in zip(scenes, surfaces, strict=True)
    ]
    start = _SUPERSAMPLING // 2
    centers = surfaces[:, start::_SUPERSAMPLING, start::_SUPERSAMPLING]
    mask = centers[..., 4] > 0.5
    return RenderedHeads(
        pictures=np.stack(pictures),
        depth=np.where(mask, centers[..., 3], 0.0).astype(np.float32),
        normals=np.where(mask[..., None], _unit(centers[..., :3]), 0.0).astype(
            np.float32
        ),
        mask=mask,
    )
