"""Head models in files: see docs/head_models.md for the format."""

import dataclasses
import os
import zipfile
from pathlib import Path

import numpy as np

from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.mesh import triangle_neighbors

REGION_NAMES = ("lips", "ears", "eyelids", "eye", "iris", "pupil", "hair", "brow")


@dataclasses.dataclass(frozen=True, eq=False)
class HeadModelFile:
    """What the file of a linear head model holds.

    Axes: x right, y down, z away; the face looks towards -z. Any unit of length.

    Attributes:
      mean: [vertices, 3] float32.
      basis: [coefficients, vertices, 3], each scaled by its standard deviation.
      triangles: [triangles, 3] int32, vertex indices, counter-clockwise seen from
        outside with y up.
      eye_centres: [2, 3], centres of the eyeballs of the mean.
      nose_tip: [3], of the mean.
      regions: [vertices, regions] weights in [0, 1]; may have no columns.
      region_names: of the columns, from `REGION_NAMES`.
    """

    mean: np.ndarray
    basis: np.ndarray
    triangles: np.ndarray
    eye_centres: np.ndarray
    nose_tip: np.ndarray
    regions: np.ndarray
    region_names: tuple[str, ...]


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        content = np.load(path, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("one array")
        with content:
            return {name: content[name] for name in content.files}
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not an .npz file of numbers") from error


class _Checked:
    """The arrays of a file, checked one by one as they are asked for."""

    def __init__(self, path: Path):
        self.path = path
        self.arrays = _read_arrays(path)

    def fail(self, key: str, fault: str):
        raise UserError(f"{self.path}: {key} {fault}")

    def get(self, key: str, kind: str, *shape: int | None) -> np.ndarray:
        """An array by its key, kind (f or i) and shape (None for any size)."""
        if key not in self.arrays:
            self.fail(key, "is missing")
        array = self.arrays[key]
        if len(array.shape) != len(shape) or any(
            size is not None and size != found
            for size, found in zip(shape, array.shape, strict=True)
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            self.fail(key, f"has shape {list(array.shape)}, not [{wanted}]")
        if kind == "i":
            if array.dtype.kind not in "iu":
                self.fail(key, f"is {array.dtype}, not integers")
            return array
        if array.dtype.kind not in "fiu":
            self.fail(key, f"is {array.dtype}, not numbers")
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            self.fail(key, "holds numbers that are not finite")
        return array


def read_head_model(path: str | os.PathLike) -> HeadModelFile:
    """Reads and checks the file of a linear head model.

    Args:
      path: of the .npz file.

    Returns:
      Its content.

    Raises:
      UserError: naming the file and the key that is missing or wrong.
    """
    file = _Checked(Path(path))
    mean = file.get("mean", "f", None, 3)
    basis = file.get("basis", "f", None, len(mean), 3)
    triangles = file.get("triangles", "i", None, 3)
    if not len(triangles) or triangles.min() < 0 or triangles.max() >= len(mean):
        file.fail("triangles", f"must be indices of the {len(mean)} vertices")
    eye_centres = file.get("eye_centres", "f", 2, 3)
    nose_tip = file.get("nose_tip", "f", 3)
    if np.ptp(eye_centres[:, 0]) <= 0.0:
        file.fail("eye_centres", "must lie on two sides (x right)")
    middle = eye_centres.mean(0)
    if nose_tip[2] >= middle[2] or nose_tip[1] <= middle[1]:
        file.fail("nose_tip", "must lie below (y down) and before (-z) the eyes")
    corners = mean[triangles] - mean.mean(0)
    if np.linalg.det(corners.astype(np.float64)).sum() <= 0.0:
        file.fail("triangles", "are inside out: (b - a) x (c - a) must point outwards")
    triangles = triangles.astype(np.int32)
    try:
        triangle_neighbors(triangles)
    except ValueError as error:
        file.fail("triangles", f"are no surface: {error}")
    regions, names = np.zeros((len(mean), 0), np.float32), ()
    if "regions" in file.arrays:
        regions = file.get("regions", "f", len(mean), None)
        if regions.size and (regions.min() < 0.0 or regions.max() > 1.0):
            file.fail("regions", "must lie from 0 to 1")
        if "region_names" not in file.arrays:
            file.fail("region_names", "is missing")
        names = tuple(file.arrays["region_names"].ravel().tolist())
        if len(names) != regions.shape[1]:
            file.fail("region_names", f"must name {regions.shape[1]} regions")
        for name in names:
            if name not in REGION_NAMES or names.count(name) > 1:
                known = ", ".join(REGION_NAMES)
                file.fail("region_names", f"has {name!r}; each may be once: {known}")
    return HeadModelFile(mean, basis, triangles, eye_centres, nose_tip, regions, names)


def write_head_model(path: str | os.PathLike, model: HeadModelFile) -> None:
    """Writes the file of a linear head model, whole or not at all.

    Args:
      path: of the .npz file.
      model: its content; basis and regions are stored in half precision.

    Raises:
      UserError: if it cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        with open(unfinished, "wb") as file:
            np.savez_compressed(
                file,
                mean=model.mean.astype(np.float32),
                basis=model.basis.astype(np.float16),
                triangles=model.triangles.astype(np.int32),
                eye_centres=model.eye_centres.astype(np.float32),
                nose_tip=model.nose_tip.astype(np.float32),
                regions=model.regions.astype(np.float16),
                region_names=np.array(model.region_names),
            )
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
