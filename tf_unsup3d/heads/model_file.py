"""Files of linear head models; docs/head_models.md describes the format."""

import dataclasses
import os

import numpy as np

from tf_unsup3d.files import replacing
from tf_unsup3d.geometry.mesh import triangle_neighbors
from tf_unsup3d.heads.array_file import ArrayFile

REGION_NAMES = ("lips", "ears", "eyelids", "eye", "iris", "pupil", "hair", "brow")


@dataclasses.dataclass(frozen=True, eq=False)
class HeadModelFile:
    """The content of the file of a linear head model.

    The axes are x right, y down, z away from the camera, and the face looks towards -z.
    Lengths are in any unit.

    Attributes:
      mean: [vertices, 3] float32 vertices of the mean head.
      basis: [coefficients, vertices, 3] float32 components, each multiplied by its
        standard deviation.
      triangles: [triangles, 3] int32 vertex indices; (b - a) x (c - a) points outwards.
      eye_centres: [2, 3] float32 centres of the eyeballs of the mean head.
      nose_tip: [3] float32 tip of the nose of the mean head.
      regions: [vertices, regions] float32 weights in [0, 1], possibly without columns.
      region_names: Name of each column of `regions`, out of `REGION_NAMES`.
    """

    mean: np.ndarray
    basis: np.ndarray
    triangles: np.ndarray
    eye_centres: np.ndarray
    nose_tip: np.ndarray
    regions: np.ndarray
    region_names: tuple[str, ...]


def read_head_model(path: str | os.PathLike) -> HeadModelFile:
    """Reads and checks the file of a linear head model.

    Args:
      path: The `.npz` file to read.

    Returns:
      The content of the file.

    Raises:
      UserError: If the file cannot be read, or an array is missing or wrong.
    """
    file = ArrayFile(path)
    mean = file.numbers("mean", None, 3)
    basis = file.numbers("basis", None, len(mean), 3)
    if not len(basis):
        file.fail("basis", "has no components")
    triangles = _read_triangles(file, mean)
    eye_centres = file.numbers("eye_centres", 2, 3)
    nose_tip = file.numbers("nose_tip", 3)
    if np.ptp(eye_centres[:, 0]) <= 0.0:
        file.fail("eye_centres", "must lie on two sides (x right)")
    middle = eye_centres.mean(0)
    if nose_tip[2] >= middle[2] or nose_tip[1] <= middle[1]:
        file.fail("nose_tip", "must lie below (y down) and before (-z) the eyes")
    regions, names = _read_regions(file, len(mean))
    return HeadModelFile(mean, basis, triangles, eye_centres, nose_tip, regions, names)


def write_head_model(path: str | os.PathLike, model: HeadModelFile) -> None:
    """Writes the file of a linear head model.

    Args:
      path: The `.npz` file to write.
      model: The content of the file. The basis and the regions are stored in half
        precision.

    Raises:
      UserError: If the file cannot be written.
    """
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            mean=model.mean.astype(np.float32),
            basis=model.basis.astype(np.float16),
            triangles=model.triangles.astype(np.int32),
            eye_centres=model.eye_centres.astype(np.float32),
            nose_tip=model.nose_tip.astype(np.float32),
            regions=model.regions.astype(np.float16),
            region_names=np.array(model.region_names, np.str_),
        )


def _read_triangles(file: ArrayFile, mean: np.ndarray) -> np.ndarray:
    triangles = file.integers("triangles", None, 3)
    if not len(triangles) or triangles.min() < 0 or triangles.max() >= len(mean):
        file.fail("triangles", f"must be indices of the {len(mean)} vertices")
    corners = mean[triangles] - mean.mean(0)
    if np.linalg.det(corners.astype(np.float64)).sum() <= 0.0:
        file.fail("triangles", "are inside out: (b - a) x (c - a) must point outwards")
    triangles = triangles.astype(np.int32)
    try:
        triangle_neighbors(triangles)
    except ValueError as error:
        file.fail("triangles", f"are no surface: {error}")
    return triangles


def _read_regions(file: ArrayFile, vertices: int) -> tuple[np.ndarray, tuple[str, ...]]:
    if "regions" not in file:
        return np.zeros((vertices, 0), np.float32), ()
    regions = file.numbers("regions", vertices, None)
    if regions.size and (regions.min() < 0.0 or regions.max() > 1.0):
        file.fail("regions", "must lie from 0 to 1")
    names = tuple(file.strings("region_names", None))
    if len(names) != regions.shape[1]:
        file.fail("region_names", f"must name {regions.shape[1]} regions")
    for name in names:
        if name not in REGION_NAMES or names.count(name) > 1:
            known = ", ".join(REGION_NAMES)
            file.fail("region_names", f"has {name!r}; each may be once: {known}")
    if "lips" in names and regions[:, names.index("lips")].min() > 0.5:
        file.fail("regions", "must not be lips everywhere")
    return regions, names
