"""Renders pictures of heads together with their true depth and normals."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.normals import vertex_normals
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.heads.backgrounds import Background, sample_background
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.parameters import HeadParameters
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.render_mesh import render_mesh

# Samples per pixel along each axis; odd, so that one of them is at the pixel centre.
_SUPERSAMPLING = 3


@dataclasses.dataclass(frozen=True)
class RenderedHeads:
    """Pictures of heads, and the truth at the pixel centres.

    Attributes:
      pictures: [batch, resolution, resolution, 3] uint8 sRGB values.
      depth: [batch, resolution, resolution] float32 z coordinates, measured from the
        camera; 0 outside the head.
      normals: [batch, resolution, resolution, 3] float32 outward unit normals in camera
        space; 0 outside the head.
      mask: [batch, resolution, resolution] bool, true on the head.
    """

    pictures: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    mask: np.ndarray


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return vectors / np.maximum(length, 1e-9)[..., None]


def _picture(
    head: HeadParameters,
    surface: np.ndarray,
    region_names: Iterable[str],
    background: Background,
    resolution: int,
) -> np.ndarray:
    """Shades the samples of one head and averages them in linear light.

    Args:
      head: The parameters of the picture.
      surface: [samples, samples, 8 + regions] rendered attributes: normal, depth,
        whether the head is there, face coordinates, and the weights of the regions.
      region_names: Names of the regions that the head model knows.
      background: Function that draws what is behind the head.
      resolution: Height and width of the picture in pixels, a divisor of `samples`.

    Returns:
      [resolution, resolution, 3] uint8 sRGB values.
    """
    cell = surface.shape[0] // resolution
    covered = surface[..., 4] > 0.5
    points = surface[covered]
    light = np.zeros((*covered.shape, 4), np.float32)
    known = dict(zip(region_names, points[:, 8:].T, strict=True))
    light[covered, :3] = head.appearance.colours(points[:, 5:8], head.hairstyle, known)
    light[covered, :3] *= head.lighting.shade(_unit(points[:, :3]))
    light[covered, 3] = 1.0
    parts = [light[i::cell, j::cell] for i in range(cell) for j in range(cell)]
    light = np.asarray(sum(parts) / np.float32(len(parts)))
    rng = np.random.default_rng(head.background_seed)
    # Only the edges of the head need several samples per pixel.
    behind = background(rng, resolution) * (1.0 - light[..., 3:])
    picture = np.clip(light[..., :3] + behind, 0.0, 1.0) ** (1.0 / 2.2)
    return np.round(255.0 * picture).astype(np.uint8)


def render_heads(
    model: HeadModel,
    heads: Sequence[HeadParameters],
    resolution: int,
    *,
    background: Background = sample_background,
    camera: PinholeCamera = PinholeCamera(),
    backend: str = "op",
) -> RenderedHeads:
    """Renders heads, shading every one of 3 x 3 samples for each pixel.

    Args:
      model: The model of head shape.
      heads: Parameters drawn from that model, one for each picture.
      resolution: Height and width of the pictures in pixels.
      background: Function that draws what is behind the heads.
      camera: The camera, before which the heads are turned.
      backend: "op" or "portable"; see `render_mesh`.

    Returns:
      The pictures and their truth.
    """
    fine = _SUPERSAMPLING * resolution
    vertices = np.stack([head.vertices(model) for head in heads])
    viewpoints = np.stack([head.viewpoint for head in heads])
    turned = rotate(tf.constant(vertices), rotation_matrices(tf.constant(viewpoints)))
    projected = camera.project(turned, fine, fine, backend=backend)
    fixed = np.column_stack([model.coordinates, *model.regions.values()])
    attributes = tf.concat(
        [
            camera.turn(vertex_normals(turned, model.triangles)),
            projected[..., 2:],
            tf.ones_like(projected[..., 2:]),
            np.broadcast_to(fixed, (len(heads), *fixed.shape)),
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
        _picture(head, surface, model.regions, background, resolution)
        for head, surface in zip(heads, surfaces, strict=True)
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
