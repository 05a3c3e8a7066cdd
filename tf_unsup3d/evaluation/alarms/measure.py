"""Alarms about shape: ways to go wrong that show without any truth.

The limits stand between procedural heads and meshes that are wrong on purpose. Silence
proves nothing: only a comparison with known depth tells how right a shape is.
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.shape.depth_metrics import erode
from tf_unsup3d.geometry.sphere import SphereMesh, sphere_of_size
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.scene import Scene

# Degrees of yaw that the objects are looked at from.
YAWS = (-60.0, -30.0, 0.0, 30.0, 60.0)


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A measure and where it begins to be wrong.

    Attributes:
      name: of the measure.
      limit: the last value that is fine.
      meaning: what is wrong beyond it.
      from_below: whether smaller values are wrong, not larger ones.
    """

    name: str
    limit: float
    meaning: str
    from_below: bool = False

    def raised_by(self, value: float) -> bool:
        """Whether a value is wrong; one that is no number always is."""
        return not (value >= self.limit if self.from_below else value <= self.limit)

    def describe(self, value: float) -> str:
        """What a value that raises it means, in a line."""
        return f"{self.meaning} ({self.name} {value:.3g}, limit {self.limit:g})"


ALARMS = (
    Alarm("hollow_face", 0.0, "the middle of the object is farther than its rim"),
    Alarm("flatness", 0.15, "the object is as flat as a card", from_below=True),
    Alarm("extent", 1.5, "the object grows far beyond the picture"),
    Alarm("flipped_triangles", 0.05, "the surface folds over itself"),
    Alarm("spikiness", 5.0, "the surface is full of spikes or creases"),
    Alarm("back_spikiness", 4.0, "the back of the object is full of spikes or creases"),
    Alarm("object_effect", 0.04, "the background shows the object", from_below=True),
    Alarm("mask_variation", 0.35, "the outline shrinks when seen from the side"),
)


def raised_alarms(values: dict[str, float]) -> list[Alarm]:
    """The alarms that some measures raise.

    Args:
      values: by the names of alarms, see `measure_alarms`.

    Returns:
      Those alarms, in the order of `ALARMS`.
    """
    return [alarm for alarm in ALARMS if alarm.raised_by(values[alarm.name])]


def measure_alarms(scene: Scene, renderer) -> dict[str, float]:
    """Measures what every alarm is about, on average over the objects.

    Args:
      scene: some objects, a few of them for a mean worth having.
      renderer: that draws them.

    Returns:
      Values by the names of `ALARMS`.
    """
    values = measure_objects(scene, renderer)
    return {name: float(np.mean(value)) for name, value in values.items()}


def measure_objects(scene: Scene, renderer) -> dict[str, np.ndarray]:
    """Measures what every alarm is about, object by object.

    Args:
      scene: some objects.
      renderer: that draws them.

    Returns:
      Values [objects] by the names of `ALARMS`.
    """
    count = scene.vertices.shape[0]
    areas, effects = [], []
    for yaw in YAWS:
        views = tf.constant([[math.radians(yaw), 0.0, 0.0]] * count)
        drawn = renderer(scene, views, outputs=("picture", "mask", "depth"))
        pictures, masks = drawn["picture"].numpy(), drawn["mask"].numpy()
        areas.append(masks.mean((1, 2, 3)))
        effects.append(object_effect(pictures, renderer.backdrop(scene, views).numpy()))
        if yaw == 0.0:
            # Pixels of the soft layer have been pushed back.
            frontal = drawn["depth"].numpy()[..., 0], erode(masks[..., 0] > 0.99)
    vertices = scene.vertices.numpy()
    mesh = sphere_of_size(vertices.shape[1])
    return {
        "hollow_face": hollow_face(*frontal, renderer.camera),
        "flatness": flatness(*frontal, renderer.camera),
        "extent": extent(vertices),
        "flipped_triangles": flipped_triangles(vertices, mesh),
        "spikiness": spikiness(vertices, mesh),
        "back_spikiness": back_spikiness(vertices, mesh),
        "object_effect": np.mean(effects, 0),
        "mask_variation": mask_variation(np.stack(areas)),
    }


def hollow_face(
    depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera = PinholeCamera()
) -> np.ndarray:
    """How much farther the middle is than the rim, seen from the front.

    Middle and rim are the parts of the mask within a third and beyond three quarters
    of the ellipse with the mask's moments.

    Args:
      depth: [pictures, height, width] from the camera.
      mask: [pictures, height, width] bool.
      camera: The camera of the depth.

    Returns:
      [pictures] in units of the object's width; negative for a head, 0 where there is
      nothing to see.
    """
    values = np.zeros(len(depth))
    for i, points in enumerate(_points(depth, mask, camera)):
        if not len(points):
            continue
        centred = points[:, :2] - points[:, :2].mean(0)
        covariance = centred.T @ centred / len(centred) + 1e-9 * np.eye(2)
        # On the border of an ellipse this is 2.
        whitened = centred @ np.linalg.cholesky(np.linalg.inv(covariance))
        radius = np.linalg.norm(whitened, axis=-1)
        middle, rim = points[radius < 2.0 / 3.0, 2], points[radius > 1.5, 2]
        if len(middle) and len(rim):
            values[i] = (middle.mean() - rim.mean()) / _width(points)
    return values


def flatness(
    depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera = PinholeCamera()
) -> np.ndarray:
    """Range of depth about the best plane, seen from the front.

    About a plane, as a card may be tilted; between the 5th and the 95th percentile, as
    a few pixels do not make a card a head.

    Args:
      depth: [pictures, height, width] from the camera.
      mask: [pictures, height, width] bool.
      camera: The camera of the depth.

    Returns:
      [pictures] in units of the object's width; about 0 for a card, and where there
      is nothing to see.
    """
    values = np.zeros(len(depth))
    for i, points in enumerate(_points(depth, mask, camera)):
        if not len(points):
            continue
        plane = np.concatenate([points[:, :2], np.ones([len(points), 1])], -1)
        fit = np.linalg.lstsq(plane, points[:, 2], rcond=None)[0]
        low, high = np.percentile(points[:, 2] - plane @ fit, [5.0, 95.0])
        values[i] = (high - low) / _width(points)
    return values


def extent(vertices: np.ndarray) -> np.ndarray:
    """Largest distance across the picture from its middle; 1 just fits.

    Args:
      vertices: [objects, vertices, 3].

    Returns:
      [objects].
    """
    return np.abs(vertices[..., :2]).max((1, 2))


def flipped_triangles(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """The part of the triangles that are turned against those of the sphere.

    Args:
      vertices: [objects, vertices, 3].
      mesh: the sphere mesh that they belong to.

    Returns:
      [objects] in [0, 1].
    """
    outward = _triangle_normals(mesh.directions[None], mesh)
    return np.mean((_triangle_normals(vertices, mesh) * outward).sum(-1) < 0.0, -1)


def spikiness(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """Mean angle between neighbouring triangles, over that of the sphere.

    Of a smooth surface all angles shrink alike in a finer mesh, so the ratio does not
    depend on it.

    Args:
      vertices: [objects, vertices, 3].
      mesh: the sphere mesh that they belong to.

    Returns:
      [objects]; 1 is a ball.
    """
    return _mean_bend(vertices, mesh) / _mean_bend(mesh.directions[None], mesh)


def back_spikiness(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """The spikiness of the surface within 60 degrees of the back pole.

    Pictures seldom show the back, so that nothing keeps it in shape; in the mean over
    the whole surface a rough back is lost.

    Args:
      vertices: [objects, vertices, 3].
      mesh: the sphere mesh that they belong to.

    Returns:
      [objects]; 1 is a ball.
    """
    back = _triangle_normals(mesh.directions[None], mesh)[0, :, 2] > 0.5
    ball = _mean_bend(mesh.directions[None], mesh, back)
    return _mean_bend(vertices, mesh, back) / ball


def object_effect(pictures: np.ndarray, backdrops: np.ndarray) -> np.ndarray:
    """How much the picture changes when the object is removed.

    Little, where the object is hardly there, or shows what is behind it anyway.

    Args:
      pictures: [pictures, height, width, 3] in [-1, 1].
      backdrops: the same without the object.

    Returns:
      [pictures] the mean absolute difference.
    """
    return np.abs(pictures - backdrops).mean((1, 2, 3))


def mask_variation(areas: np.ndarray) -> np.ndarray:
    """How much the area of the mask changes with the view.

    Args:
      areas: [views, objects] of masks.

    Returns:
      [objects] the range over the largest.
    """
    return np.ptp(areas, 0) / np.maximum(areas.max(0), 1e-9)


def _points(depth, mask, camera):
    """The masked points [points, 3] of each picture."""
    points = camera.back_project(np.where(mask, depth, 1.0))
    return [picture[inside] for picture, inside in zip(points, mask, strict=True)]


def _width(points):
    """Diameter of the disc with the second moments that the points have."""
    return 4.0 * np.sqrt(np.mean(np.var(points[:, :2], axis=0))) + 1e-9


def _triangle_normals(vertices, mesh):
    """Outward unit normals [objects, triangles, 3]."""
    a, b, c = np.moveaxis(vertices[:, mesh.triangles], 2, 0)
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


def _mean_bend(vertices, mesh, triangles=slice(None)):
    """Mean angle [objects] of some of the triangles with their neighbours."""
    normals = _triangle_normals(vertices, mesh)
    neighbors = normals[:, mesh.neighbors[triangles]]
    cosine = (normals[:, triangles, None] * neighbors).sum(-1)
    return np.arccos(np.clip(cosine, -1.0, 1.0)).mean((1, 2))
