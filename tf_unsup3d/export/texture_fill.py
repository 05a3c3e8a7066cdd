"""Fills the part of a texture that no picture of training could show.

What lies on the back of an object has never been seen by the discriminator, and the map
squeezes the back pole into a circle: what a network happens to paint there runs into
one point. Before objects are looked at from behind, colours that pictures do show are
continued over the rest of the surface.
"""

import itertools
import math

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
import scipy.spatial
import tensorflow as tf

from tf_unsup3d.export.vertex_colours import colours_at
from tf_unsup3d.geometry.edges import mesh_edges
from tf_unsup3d.geometry.normals import vertex_normals
from tf_unsup3d.geometry.sphere import SphereMesh, polar_part, uv_to_direction
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.rendering.render_mesh import render_mesh
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Viewpoints that are tried, as parts of the limits of p_v; few pictures show more.
_PARTS = (-0.75, -0.375, 0.0, 0.375, 0.75)
# Height and width in which visibility is found, enough for each triangle to be met.
_RESOLUTION = 256
# Cosines of the angle to the line of sight between which trust in a colour grows from
# 0 to 1: what is seen at a slant is smeared.
_SLANTED, _FACING = 0.3, 0.6
# Rounds in which the trust in a vertex is averaged with its neighbours'.
_SMOOTHING = 6
# Pull of a trusted colour against that of one neighbour.
_PULL = 100.0
# The part of what is trusted that is the highest, and the quantile of the brightness
# there that makes a colour: lamps shine on the tops of heads, and pictures of thin hair
# show something of the background.
_HIGHEST = 0.25
_BRIGHTNESS = 0.3
# Beyond this radius of the map, in units of that of the back pole, there is one colour.
# Triangles of the mesh are few around the back pole, and cut across the map there.
_POLE_RADIUS = 0.9


def fill_hidden_texture(model: TrainedModel, scene: Scene) -> Scene:
    """Continues the seen part of the textures over the unseen part.

    The back has a colour of the highest part of the object that pictures show, which is
    the hair of a head: one that is neither a highlight nor in deep shadow. Between it
    and the seen part, the colours are harmonic on the mesh: each is the mean of its
    neighbours'. They fade into the seen part where that is seen at a slant.

    Args:
      model: The model that made the scene, whose viewpoints tell what can be seen.
      scene: The objects.

    Returns:
      The objects with other textures. Texels outside the map have the colour of the
      back pole.
    """
    trust = _trust(model, scene.vertices)
    magnification = model.renderer.front_magnification
    return scene._replace(
        texture=tf.constant(
            np.stack(
                [
                    _filled(texture, heights, model.mesh, weights, magnification)
                    for texture, heights, weights in zip(
                        scene.texture.numpy(),
                        -scene.vertices.numpy()[..., 1],
                        trust,
                        strict=True,
                    )
                ]
            )
        )
    )


def _trust(model: TrainedModel, vertices: tf.Tensor) -> np.ndarray:
    """How well the pictures show each vertex, `[objects, vertices]` in [0, 1]."""
    objects, count = vertices.shape[:2]
    triangles = np.asarray(model.mesh.triangles)
    best = np.zeros([objects, count], np.float32)
    yaw, pitch, _ = (math.radians(limit) for limit in model.viewpoints.limits)
    pivot = tf.constant(model.renderer.pivot, tf.float32)
    backend = model.renderer.get_config()["backend"]
    for part in itertools.product(_PARTS, _PARTS):
        viewpoint = tf.constant([[part[0] * yaw, part[1] * pitch, 0.0]])
        turned = rotate(vertices - pivot, rotation_matrices(viewpoint))
        pixels = model.camera.project(turned, _RESOLUTION, _RESOLUTION, backend=backend)
        drawn = render_mesh(
            pixels,
            model.mesh,
            height=_RESOLUTION,
            width=_RESOLUTION,
            margin=0.0,
            backend=backend,
        )
        ids = drawn["triangle_ids"].numpy()
        normals = model.camera.turn(vertex_normals(turned, triangles)).numpy()
        for found, each, normal in zip(best, ids, normals, strict=True):
            seen = np.unique(triangles[each[each >= 0]])
            found[seen] = np.maximum(found[seen], -normal[seen, 2])
    trust = np.clip((best - _SLANTED) / (_FACING - _SLANTED), 0.0, 1.0)
    # Small triangles at a slant are met by pixels or not as chance will have it.
    mean = _neighbour_mean(mesh_edges(triangles), count)
    for _ in range(_SMOOTHING):
        trust = trust @ mean.T
    return np.clip(2.0 * trust - 1.0, 0.0, 1.0).astype(np.float32)


def _neighbour_mean(edges: np.ndarray, count: int) -> scipy.sparse.csr_array:
    """The matrix `[count, count]` of means over a vertex and its neighbours."""
    adjacency = _adjacency(edges, count) + scipy.sparse.eye_array(count)
    return scipy.sparse.diags_array(1.0 / adjacency.sum(1)) @ adjacency


def _adjacency(edges: np.ndarray, count: int) -> scipy.sparse.csr_array:
    first, second = edges.T
    ones = np.ones(len(edges))
    one_way = scipy.sparse.coo_array((ones, (first, second)), (count, count)).tocsr()
    return one_way + one_way.T


def _filled(
    texture: np.ndarray,
    heights: np.ndarray,
    mesh: SphereMesh,
    trust: np.ndarray,
    magnification: float,
) -> np.ndarray:
    """The texture `[height, width, 3]`, filled where vertices are not trusted."""
    height, width, _ = texture.shape
    # The map shows each vertex once, but for the back pole.
    vertex_of_uv = np.minimum(np.arange(len(mesh.uv)), len(mesh.directions) - 1)
    colours = np.zeros([len(trust), 3])
    np.add.at(colours, vertex_of_uv, colours_at(texture, np.asarray(mesh.uv)))
    colours /= np.bincount(vertex_of_uv)[:, None]
    polar = np.arccos(np.clip(-mesh.directions[:, 2], -1.0, 1.0)) / np.pi
    back = polar >= polar_part(np.array(_POLE_RADIUS), magnification)
    colours[back] = _hair_colour(colours, heights, np.where(back, 0.0, trust))
    continued = _continue(colours, np.maximum(trust, back), mesh_edges(mesh.triangles))

    values = np.concatenate([continued, trust[:, None]], -1)
    drawn = _spread(values, mesh.directions, height, width, magnification)
    fill, weight = drawn[..., :3], drawn[..., 3:]
    return (weight * texture + (1.0 - weight) * fill).astype(np.float32)


def _hair_colour(
    colours: np.ndarray, heights: np.ndarray, trust: np.ndarray
) -> np.ndarray:
    """The colour `[3]` of the darker part of the highest of what is trusted."""
    # Weights that fall off gradually keep the colour from jumping from one frame of a
    # video to the next.
    highest = trust * np.maximum(1.0 - _rank(-heights, trust) / _HIGHEST, 0.0)
    distance = np.abs(_rank(colours.sum(-1), highest) - _BRIGHTNESS)
    weights = highest * np.maximum(1.0 - distance / _BRIGHTNESS, 0.0) + 1e-9
    return weights @ colours / weights.sum()


def _rank(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The part `[vertices]` of all weight that belongs to values up to each."""
    order = np.argsort(values)
    rank = np.empty_like(weights)
    rank[order] = np.cumsum(weights[order]) / (weights.sum() + 1e-9)
    return rank


def _spread(
    values: np.ndarray,
    directions: np.ndarray,
    height: int,
    width: int,
    magnification: float,
) -> np.ndarray:
    """Values `[vertices, channels]` as a map `[height, width, channels]`.

    On the sphere each texel lies between three vertices. The triangles of the map would
    not do: around the back pole, which is a circle of the map, they overlap.
    """
    u, v = np.meshgrid(
        (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    )
    texels = uv_to_direction(np.stack([u, v], -1), magnification)
    distance, nearest = scipy.spatial.KDTree(directions).query(texels, 3)
    weights = 1.0 / (distance + 1e-6)
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("hwk,hwkc->hwc", weights, values[nearest])


def _continue(colours: np.ndarray, trust: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The colours `[vertices, 3]`, harmonic where they are not trusted."""
    count = len(colours)
    adjacency = _adjacency(edges, count)
    degrees = scipy.sparse.diags_array(adjacency.sum(1))
    pull = scipy.sparse.diags_array(_PULL * trust)
    system = (degrees - adjacency + pull).tocsc()
    return scipy.sparse.linalg.splu(system).solve(pull @ colours)
