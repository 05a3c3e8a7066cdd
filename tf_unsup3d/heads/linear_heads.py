"""Prepares the head model of a file for rendering."""

import os

import numpy as np

from tf_unsup3d.geometry.mesh import triangle_neighbors
from tf_unsup3d.heads import mesh_edits
from tf_unsup3d.heads.landmarks import EYE_X, NOSE_TIP_Z, SCALE, to_unit_ball
from tf_unsup3d.heads.model import HeadModel, LinearShape
from tf_unsup3d.heads.model_file import HeadModelFile, read_head_model
from tf_unsup3d.heads.patterns import smooth_step

# The y coordinate at which the neck is cut off, with everything below it.
_NECK_END = 0.74


def _face_coordinates(file: HeadModelFile) -> tuple[np.ndarray, float]:
    """Computes the face coordinates of the mean head.

    The eyes determine the scale and the position in x and y, and the tip of the nose
    determines the position in z.

    Args:
      file: The content of the file.

    Returns:
      The face coordinates, [vertices, 3], and the scale from lengths in the file to
      face coordinates.
    """
    x, y, _ = file.eye_centres.mean(0)
    scale = 2.0 * EYE_X / np.ptp(file.eye_centres[:, 0])
    origin = np.array([x, y, file.nose_tip[2] - NOSE_TIP_Z / scale])
    return scale * (file.mean - origin), scale


def _lashes(balls: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Computes the weights of the lashes, which are the rims of the lids.

    Args:
      balls: [vertices] bool, true on the eyeballs.
      coordinates: [vertices, 3] face coordinates.

    Returns:
      [vertices] float32 in [0, 1].
    """
    _, y, z = coordinates.T
    centre = np.array([EYE_X, 0.0, z[balls].mean()])
    reach = np.linalg.norm(np.abs(coordinates) * [1, 1, -1] - centre, axis=-1)
    radius = np.median(reach[balls])
    near = smooth_step(reach, 1.25 * radius, 1.02 * radius)
    near *= smooth_step(z, centre[2], centre[2] - 0.03)
    # The lashes are thicker above the eye than below it.
    near *= 0.35 + 0.65 * smooth_step(y, 0.03, -0.02)
    return np.where(balls, 0.0, near).astype(np.float32)


def load_head_model(path: str | os.PathLike) -> HeadModel:
    """Reads the head model of a file and prepares it for rendering.

    The eyes and the tip of the nose of the mean head are moved to the positions that
    they have in procedural heads, the neck is cut horizontally, and all holes are
    closed.

    Args:
      path: The `.npz` file of the model; see docs/head_models.md.

    Returns:
      The head model.

    Raises:
      UserError: If the file cannot be read, or an array is missing or wrong.
    """
    file = read_head_model(path)
    coordinates, scale = _face_coordinates(file)
    weights = dict(zip(file.region_names, file.regions.T, strict=True))
    # A lid between the lips, so that an open mouth is not a hole in the true depth.
    lips = weights.get("lips", np.zeros(len(file.mean))) > 0.5
    mouth = mesh_edits.enclosed(file.triangles, lips)
    if mouth.any():
        weights["parting"] = 2.0 * mouth.astype(np.float32)
    open_mouth, triangles = mesh_edits.cut(file.triangles, np.where(mouth, 1.0, -1.0))
    heights = mesh_edits.apply(open_mouth, coordinates)[:, 1] - _NECK_END
    open_neck, triangles = mesh_edits.cut(triangles, heights)
    closed, triangles = mesh_edits.close(triangles, open_neck.shape[0])
    edit = closed @ open_neck @ open_mouth
    coordinates = mesh_edits.apply(edit, coordinates)
    basis = mesh_edits.apply(edit, SCALE * scale * file.basis.transpose(1, 0, 2))
    mean = to_unit_ball(coordinates).astype(np.float32)
    regions = {
        name: np.minimum(mesh_edits.apply(edit, values), 1.0)
        for name, values in weights.items()
    }
    eyeballs = regions.get("eye", np.zeros(len(mean))) > 0.5
    if eyeballs.any():
        regions["lash"] = _lashes(eyeballs, coordinates)
    # The hair grows from a skull without ears.
    bare = 1.0 - regions.get("ears", np.zeros(len(mean)))
    skull = np.concatenate([mean[:, None], basis], 1)
    skull = mesh_edits.smooth(triangles, skull, bare).transpose(1, 0, 2)
    return HeadModel(
        shape=LinearShape(mean, np.ascontiguousarray(basis.transpose(1, 0, 2))),
        skull=LinearShape(skull[0], np.ascontiguousarray(skull[1:])),
        names=tuple(f"component_{index:02}" for index in range(len(file.basis))),
        triangles=triangles,
        neighbors=triangle_neighbors(triangles),
        coordinates=coordinates,
        regions=regions,
    )
