"""What the viewer shows of an object: pictures, a mesh and a video, as files."""

import dataclasses
import functools
import hashlib
import math
import pathlib
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.animations import turntable
from tf_unsup3d.export.meshes import TO_FILE_AXES, encode_glb
from tf_unsup3d.export.pictures import (
    depth_to_grey,
    encode_png,
    normals_to_rgb,
    to_uint8,
)
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.export.videos import has_ffmpeg, write_video
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.lighting import RandomLamps
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

KINDS = ("picture", "normals", "depth", "texture", "background", "object")
# Height and width of pictures and videos in pixels: sharp on a page, and drawn in tens
# of milliseconds.
_RESOLUTION = 256
_DIRECTIONS = 6
# How much further than the mean object others may reach.
_REACH = 1.1
# Objects that are kept for the next viewpoint.
_KEPT = 8


@dataclasses.dataclass(frozen=True)
class Viewpoint:
    """How an object is turned, in degrees; see `tf_unsup3d.geometry.viewpoints`."""

    yaw_degrees: float = 0.0
    pitch_degrees: float = 0.0
    roll_degrees: float = 0.0

    def is_within(self, limits: tuple[float, float, float]) -> bool:
        """Whether no angle is larger than its limit, in degrees."""
        angles = dataclasses.astuple(self)
        return all(
            abs(angle) <= limit for angle, limit in zip(angles, limits, strict=True)
        )


class Views:
    """Draws the objects of a trained model.

    All functions may be called from several threads.

    Args:
      model: The trained model.

    Attributes:
      checksum: Tells apart models of different weights or configurations.
      style_size: Number of elements of a style.
      video_suffixes: Formats of videos that can be made here.
    """

    def __init__(self, model: TrainedModel):
        self._model = model
        self.checksum = _checksum(model)
        self.style_size: int = model.mean_style.shape[-1]
        self.video_suffixes = (".mp4", ".gif") if has_ffmpeg() else (".gif",)
        self._object_camera, self._middle = _camera_around(model)
        # The page asks for a picture and a mesh of the same object at once.
        lock = threading.RLock()
        self._scene = _one_at_a_time(lock, self._make_scene)
        self._filled = _one_at_a_time(lock, self._make_filled)

    def describe(self) -> dict[str, Any]:
        """Tells what the page needs to know about the model, for JSON.

        Returns:
          By name: the checksum; the size of a style; the mean style; the camera of the
          `object` pictures, which looks along -z at the point that objects turn about,
          the pivot; the lamps; the limits of the viewpoints of training in degrees; and
          the principal directions of the styles, each with one standard deviation as
          its length, beside the part of the variance that it explains. Camera and lamps
          are in glTF's axes.
        """
        camera = self._object_camera
        return {
            "checksum": self.checksum,
            "style_size": self.style_size,
            "mean_style": self._model.mean_style[0].numpy().tolist(),
            "camera": {
                "field_of_view_degrees": math.degrees(camera.field_of_view),
                "distance": camera.distance,
                "pivot": (self._middle * TO_FILE_AXES).tolist(),
            },
            "light": _describe_light(self._model.renderer.lamps),
            "viewpoint_limits_degrees": self._model.viewpoints.limits,
            "video_suffixes": self.video_suffixes,
            "directions": self._principal_directions(),
        }

    def picture(self, style: np.ndarray, kind: str, viewpoint: Viewpoint) -> bytes:
        """Draws an object.

        Where the viewpoint is beyond those of training, the picture shows surface that
        no picture of training does. There, and in the kind `object`, the hidden part of
        the texture is filled.

        Args:
          style: `[style_size]` float32.
          kind: "picture", "normals" or "depth", with the camera of training; "texture"
            or "background", the maps themselves; or "object", the whole object about
            its middle without a background.
          viewpoint: The viewpoint, of which the maps do not depend.

        Returns:
          The content of a PNG file; that of an object has an alpha channel.
        """
        scene = self._scene(style.tobytes())
        if kind in ("texture", "background"):
            return encode_png(to_uint8(getattr(scene, kind)[0].numpy()))
        if kind == "object":
            return encode_png(self._draw_object(style, viewpoint))
        if kind == "picture" and not viewpoint.is_within(self._model.viewpoints.limits):
            scene = self._filled(style.tobytes())
        outputs = ("picture",) if kind == "picture" else (kind, "mask")
        drawn = self._model.draw(
            scene,
            **dataclasses.asdict(viewpoint),
            resolution=_RESOLUTION,
            outputs=outputs,
        )
        picture = drawn[kind][0]
        if kind == "normals":
            return encode_png(normals_to_rgb(picture, drawn["mask"][0]))
        if kind == "depth":
            middle = self._model.camera.distance
            mask = drawn["mask"][0]
            return encode_png(depth_to_grey(picture, mask, middle - 1.0, middle + 1.0))
        return encode_png(to_uint8(picture))

    def mesh(self, style: np.ndarray) -> bytes:
        """Makes a mesh file, in which the hidden part of the texture is filled.

        Args:
          style: `[style_size]` float32.

        Returns:
          The content of a `.glb` file.

        Raises:
          UserError: The object is not finite.
        """
        scene = self._filled(style.tobytes())
        vertices, texture = scene.vertices[0].numpy(), scene.texture[0].numpy()
        return encode_glb("object", vertices, self._model.mesh, texture)

    def video(self, style: np.ndarray, suffix: str, pitch_degrees: float) -> bytes:
        """Makes a video of one turn of an object.

        Args:
          style: `[style_size]` float32.
          suffix: One of `video_suffixes`.
          pitch_degrees: Pitch of the object.

        Returns:
          The content of the file.
        """
        frames = turntable(
            self._model,
            self._filled(style.tobytes()),
            resolution=_RESOLUTION,
            pitch_degrees=pitch_degrees,
        )
        with tempfile.TemporaryDirectory(prefix="unsup3d-view-") as folder:
            path = pathlib.Path(folder) / f"turntable{suffix}"
            write_video(path, frames)
            return path.read_bytes()

    def _draw_object(self, style: np.ndarray, viewpoint: Viewpoint) -> np.ndarray:
        """The whole object without a background, `[height, width, 4]` uint8."""
        scene = self._filled(style.tobytes())
        drawn = self._model.draw(
            # Black behind the object: what shines through can be divided out again.
            scene._replace(background=-tf.ones_like(scene.background)),
            **dataclasses.asdict(viewpoint),
            resolution=_RESOLUTION,
            camera=self._object_camera,
            pivot=tuple(self._middle.tolist()),
            outputs=("picture", "mask"),
        )
        mask = drawn["mask"][0]
        colours = (drawn["picture"][0] + 1.0) / np.maximum(mask, 1e-6) - 1.0
        return to_uint8(np.concatenate([colours, 2.0 * mask - 1.0], -1))

    def _make_scene(self, style: bytes) -> Scene:
        return self._model.synthesize(tf.constant([np.frombuffer(style, np.float32)]))

    def _make_filled(self, style: bytes) -> Scene:
        return fill_hidden_texture(self._model, self._scene(style))

    def _principal_directions(self) -> list[dict[str, Any]]:
        styles = self._model.style_distribution
        variances = styles.deviations**2
        steps = styles.deviations[:, None] * styles.axes
        return [
            {"part_of_variance": float(part), "step": step.tolist()}
            for part, step in zip(
                (variances / variances.sum())[:_DIRECTIONS],
                steps[:_DIRECTIONS],
                strict=True,
            )
        ]


def _one_at_a_time(
    lock: threading.RLock, make: Callable[[bytes], Scene]
) -> Callable[[bytes], Scene]:
    """Keeps what is made last, and makes nothing twice for two who ask at once."""
    kept = functools.lru_cache(_KEPT)(make)

    def find(style: bytes) -> Scene:
        with lock:
            return kept(style)

    return find


def _checksum(model: TrainedModel) -> str:
    """A checksum of all that a model is made of."""
    digest = hashlib.sha256(model.configuration.to_gin().encode())
    for variable in model.generator.variables:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def _camera_around(model: TrainedModel) -> tuple[PinholeCamera, np.ndarray]:
    """A camera that sees objects whole, however they are turned.

    Args:
      model: The model of the objects.

    Returns:
      The camera, and the point `[3]` that it looks at, about which they turn.
    """
    vertices = model.synthesize(model.mean_style).vertices[0].numpy()
    middle = 0.5 * (vertices.min(0) + vertices.max(0))
    reach = _REACH * float(np.linalg.norm(vertices - middle, axis=-1).max())
    field_of_view = model.camera.field_of_view
    distance = reach / math.sin(0.5 * field_of_view)
    pose = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, distance))
    return PinholeCamera(field_of_view, pose=pose), middle


def _describe_light(lamps: RandomLamps | None) -> dict[str, Any]:
    """The light of pictures, as the page draws with it.

    Args:
      lamps: The lamps of the renderer.

    Returns:
      The ambient part of the light, and two lamps with their directions, in glTF's
      axes, and their strengths. All add up to 1.
    """
    if lamps is None:
        nothing = {"direction": [0.0, 0.0, 1.0], "strength": 0.0}
        return {"ambient": 1.0, "lamps": [nothing, nothing]}
    lights = lamps.middle(1)
    ambient = float(lights.ambient[0])
    fill = 0.0 if lights.fill is None else float(lights.fill[0])
    fill_direction = lights.fill_direction
    directions = [
        lights.direction,
        lights.direction if fill_direction is None else fill_direction,
    ]
    return {
        "ambient": ambient,
        "lamps": [
            {
                "direction": (direction[0].numpy() * TO_FILE_AXES).tolist(),
                "strength": (1.0 - ambient) * part / (1.0 + fill),
            }
            for direction, part in zip(directions, (1.0, fill), strict=True)
        ],
    }
